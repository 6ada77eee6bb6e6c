"""Read the database for waiting requests in a few threads of their own.

Hundreds of waiting requests would otherwise take every thread of the other requests.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from service.loop_local import loop_local

_AT_A_TIME = 4
_LIMITER: RunVar[CapacityLimiter] = RunVar("waiting requests")

Given = TypeVarTuple("Given")
Seen = TypeVar("Seen")


async def run_limited(read: Callable[[*Given], Seen], *given: *Given) -> Seen:
    """Return what `read` returns, in one of the few threads of waiting requests."""
    limiter = loop_local(_LIMITER, lambda: CapacityLimiter(_AT_A_TIME))
    return await to_thread.run_sync(read, *given, limiter=limiter)
