"""Looks at the database by those that wait for something, in a few threads of their own.

A few hundred of them would else take every thread that answers those who ask once.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from service.loop_local import loop_local

_AT_A_TIME = 4
_LOOKING: RunVar[CapacityLimiter] = RunVar("looking")

Given = TypeVarTuple("Given")
Seen = TypeVar("Seen")


async def look(read: Callable[[*Given], Seen], *given: *Given) -> Seen:
    """What `read` returns, when it is this one's turn; many that wait look less often."""
    limiter = loop_local(_LOOKING, lambda: CapacityLimiter(_AT_A_TIME))
    return await to_thread.run_sync(read, *given, limiter=limiter)
