"""Draw plots in a child process, one at a time.

The API process does not load matplotlib (40 MB), and drawing takes only one core.
"""

import asyncio
import hashlib
import json
import sys
from asyncio.subprocess import PIPE
from typing import Any, Literal

import anyio
from anyio.lowlevel import RunVar
from fastapi import Response

from core.errors import PlotFailed
from service.run_limited import loop_local

PlotForm = Literal["svg", "png"]
_MEDIA: dict[PlotForm, str] = {"svg": "image/svg+xml", "png": "image/png"}
_SECONDS = 30.0
_DRAWING: RunVar[anyio.CapacityLimiter] = RunVar("drawing")
_IN_WORK: RunVar[dict[tuple[str, PlotForm, bytes], asyncio.Task[bytes]]] = RunVar(
    "in work"
)


async def plot(kind: str, form: PlotForm, data: dict[str, Any]) -> Response:
    """Return a plot of `data`; simultaneous requests for the same plot share a drawing.

    Raises PlotFailed if the child process takes too long or fails.
    """
    packed, in_work = json.dumps(data).encode(), loop_local(_IN_WORK, dict)
    key = kind, form, hashlib.sha256(packed).digest()
    if key not in in_work:
        in_work[key] = asyncio.create_task(_in_turn(kind, form, packed))
        in_work[key].add_done_callback(lambda _: in_work.pop(key))
    return Response(await asyncio.shield(in_work[key]), media_type=_MEDIA[form])


async def _in_turn(kind: str, form: PlotForm, data: bytes) -> bytes:
    try:
        with anyio.fail_after(_SECONDS):
            async with loop_local(_DRAWING, lambda: anyio.CapacityLimiter(1)):
                return await _drawn(kind, form, data)
    except TimeoutError as error:
        raise PlotFailed(f"Drawing took longer than {_SECONDS:.0f} s.") from error


async def _drawn(kind: str, form: PlotForm, data: bytes) -> bytes:
    # asyncio accepts a child that exits before it has read all of its input
    command = [sys.executable, "-m", "service.plotting", kind, form]
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        picture, _ = await child.communicate(data)
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        raise PlotFailed(f"The drawing process ended with code {child.returncode}.")
    return picture
