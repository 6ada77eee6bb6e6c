"""Run the client's coroutines as blocking calls, without an event loop.

Every call is written once, as a coroutine. Over a blocking connection a coroutine never
waits for an event loop, so it runs in one step. An event loop that is already running, as
in a notebook, is not affected. docs/decisions/0033 gives the reasons.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

Result = TypeVar("Result")
P = ParamSpec("P")
_END: Any = object()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine that does not wait for an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    work.close()
    raise TypeError("got an async function; Client needs a function. Use AsyncClient")


def each(items: AsyncIterator[Result]) -> Generator[Result]:
    """Yield the items one by one; close the source if the caller stops early."""

    async def following() -> Result:
        return await anext(items, _END)

    try:
        while (item := run(following())) is not _END:
            yield item
    finally:
        if (close := getattr(items, "aclose", None)) is not None:
            run(close())


class Blocking:
    """The coroutines of `calls` as blocking calls."""

    def __init__(self, calls: Any) -> None:
        self._calls = calls


def returning(
    call: Callable[Concatenate[Any, P], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Any, P], Result]:
    """Return the blocking form of a call that returns a value."""

    @wraps(call)
    def called(self: Blocking, /, *args: P.args, **options: P.kwargs) -> Result:
        return run(call(self._calls, *args, **options))

    return called


def iterating(
    call: Callable[Concatenate[Any, P], AsyncIterator[Result]],
) -> Callable[Concatenate[Any, P], Generator[Result]]:
    """Return the blocking form of a call that yields values."""

    @wraps(call)
    def called(
        self: Blocking, /, *args: P.args, **options: P.kwargs
    ) -> Generator[Result]:
        return each(call(self._calls, *args, **options))

    return called
