"""What an event loop has one of: made when it is first asked for."""

from collections.abc import Callable
from typing import TypeVar

from anyio.lowlevel import RunVar

Value = TypeVar("Value")


def loop_local(variable: RunVar[Value], make: Callable[[], Value]) -> Value:
    """The running loop's value of `variable`; what `make` returns where it has none."""
    try:
        return variable.get()
    except LookupError:
        value = make()
        variable.set(value)
        return value
