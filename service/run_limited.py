"""Read the database for waiting requests in a few separate threads.

Otherwise hundreds of waiting requests would occupy the threads of all other requests.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

_AT_A_TIME = 4
_POLLING: RunVar[CapacityLimiter] = RunVar("polling")

Given = TypeVarTuple("Given")
Value = TypeVar("Value")


async def run_limited(read: Callable[[*Given], Value], *given: *Given) -> Value:
    """Return what `read` returns, in one of the few threads of waiting requests."""
    limiter = loop_local(_POLLING, lambda: CapacityLimiter(_AT_A_TIME))
    return await to_thread.run_sync(read, *given, limiter=limiter)


def loop_local(variable: RunVar[Value], make: Callable[[], Value]) -> Value:
    """Return the running event loop's value of `variable`, made by `make` if absent."""
    try:
        return variable.get()
    except LookupError:
        value = make()
        variable.set(value)
        return value
