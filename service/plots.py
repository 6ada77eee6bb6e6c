"""Plots as files, drawn in a process that ends with the picture.

The API stays small (matplotlib is 40 MB) and free to answer: it waits for a child, and
one child draws at a time.
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
from service.loop_local import loop_local

Form = Literal["svg", "png"]
_MEDIA: dict[Form, str] = {"svg": "image/svg+xml", "png": "image/png"}
_SECONDS = 30.0
Picture = bytes | int | None
"""Its bytes, or the code that its process ended with, or none within the time."""
InWork = dict[tuple[str, Form, bytes], asyncio.Task[Picture]]


async def plot(kind: str, form: Form, data: dict[str, Any]) -> Response:
    """The picture of `data`, of a kind that `service.plotting` has.

    It is drawn once for all that ask for it at once.

    Raises PlotFailed if it takes too long, or dies.
    """
    packed, in_work = json.dumps(data).encode(), loop_local(_IN_WORK, dict)
    asked = kind, form, hashlib.sha256(packed).digest()
    if asked not in in_work:
        in_work[asked] = asyncio.create_task(_in_turn(kind, form, packed))
        in_work[asked].add_done_callback(lambda _: in_work.pop(asked))
    picture = await asyncio.shield(in_work[asked])
    if picture is None:
        raise PlotFailed(f"It took longer than {_SECONDS:.0f} s.")
    if isinstance(picture, int):
        raise PlotFailed(f"Its process ended with {picture}.")
    return Response(picture, media_type=_MEDIA[form])


async def _in_turn(kind: str, form: Form, data: bytes) -> Picture:
    try:
        with anyio.fail_after(_SECONDS):
            async with _one_at_a_time():
                return await _drawn(kind, form, data)
    except TimeoutError:
        return None


async def _drawn(kind: str, form: Form, data: bytes) -> Picture:
    # asyncio's own, as it bears a child that dies before it has read everything
    command = [sys.executable, "-m", "service.plotting", kind, form]
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        picture, _ = await child.communicate(data)
    finally:
        if child.returncode is None:
            child.kill()
    return child.returncode or picture


_DRAWING: RunVar[anyio.CapacityLimiter] = RunVar("drawing")
_IN_WORK: RunVar[InWork] = RunVar("in work")


def _one_at_a_time() -> anyio.CapacityLimiter:
    """A child more at a time would take the cores from predict."""
    return loop_local(_DRAWING, lambda: anyio.CapacityLimiter(1))
