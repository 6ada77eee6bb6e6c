"""Plots as files, drawn in a process that ends with the picture.

The API stays small (matplotlib is 40 MB) and free to answer: it waits for a child, and
one child draws at a time.
"""

import json
import subprocess
import sys
from typing import Any, Literal

import anyio
from anyio.lowlevel import RunVar
from fastapi import Response

from core.errors import PlotFailed

Kind = Literal["history"]
Form = Literal["svg", "png"]
_MEDIA: dict[Form, str] = {"svg": "image/svg+xml", "png": "image/png"}
_SECONDS = 30.0


async def plot(kind: Kind, form: Form, data: dict[str, Any]) -> Response:
    """The picture of `data`. Raises PlotFailed if it takes too long, or dies."""
    command = [sys.executable, "-m", "service.plotting", kind, form]
    try:
        with anyio.fail_after(_SECONDS):
            async with _one_at_a_time():
                done = await anyio.run_process(
                    command, input=json.dumps(data).encode(), stderr=None
                )
    except TimeoutError as error:
        raise PlotFailed(f"It took longer than {_SECONDS:.0f} s.") from error
    except subprocess.CalledProcessError as error:
        raise PlotFailed(f"Its process ended with {error.returncode}.") from error
    return Response(done.stdout, media_type=_MEDIA[form])


_DRAWING: RunVar[anyio.CapacityLimiter] = RunVar("drawing")


def _one_at_a_time() -> anyio.CapacityLimiter:
    """Of this event loop; a child more at a time would take the cores from predict."""
    try:
        return _DRAWING.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(1)
        _DRAWING.set(limiter)
        return limiter
