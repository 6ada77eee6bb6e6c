"""Plots as files, drawn in a process that ends with the picture.

The API stays small (matplotlib is 40 MB) and free to answer: it waits for a child, and
one child draws at a time.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from typing import Any, Literal

import anyio
from anyio.lowlevel import RunVar
from fastapi import Response

from core.errors import PlotFailed

Form = Literal["svg", "png"]
_MEDIA: dict[Form, str] = {"svg": "image/svg+xml", "png": "image/png"}
_SECONDS = 30.0


async def plot(kind: str, form: Form, data: dict[str, Any]) -> Response:
    """The picture of `data`, of a kind that `service.plotting` has.

    Raises PlotFailed if it takes too long, or dies.
    """
    try:
        with anyio.fail_after(_SECONDS):
            async with _one_at_a_time():
                picture = await _drawn(kind, form, json.dumps(data).encode())
    except TimeoutError as error:
        raise PlotFailed(f"It took longer than {_SECONDS:.0f} s.") from error
    return Response(picture, media_type=_MEDIA[form])


async def _drawn(kind: str, form: Form, data: bytes) -> bytes:
    # asyncio's own, as it bears a child that dies before it has read everything
    command = [sys.executable, "-m", "service.plotting", kind, form]
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        picture, _ = await child.communicate(data)
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode != 0:
        raise PlotFailed(f"Its process ended with {child.returncode}.")
    return picture


_DRAWING: RunVar[anyio.CapacityLimiter] = RunVar("drawing")


def _one_at_a_time() -> anyio.CapacityLimiter:
    """Of this event loop; a child more at a time would take the cores from predict."""
    try:
        return _DRAWING.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(1)
        _DRAWING.set(limiter)
        return limiter
