"""Keep one value for each event loop."""

from collections.abc import Callable
from typing import TypeVar

from anyio.lowlevel import RunVar

Value = TypeVar("Value")


def loop_local(variable: RunVar[Value], make: Callable[[], Value]) -> Value:
    """Return the running loop's value of `variable`; make it if there is none."""
    try:
        return variable.get()
    except LookupError:
        value = make()
        variable.set(value)
        return value
