"""The blocking form of the calls, which are written once, as coroutines.

Over a blocking connection a coroutine never waits for an event loop, so it runs in one
step. No loop is made, and one that runs already, as in a notebook, is not disturbed.
docs/decisions/0033 gives the reasons.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

Result = TypeVar("Result")
P = ParamSpec("P")
_END: Any = object()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of a coroutine that waits for no event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    work.close()
    raise TypeError("the blocking client takes plain functions; use AsyncClient")


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
    """Coroutines of `calls`, run to their end."""

    def __init__(self, calls: Any) -> None:
        self._calls = calls


def returning(
    call: Callable[Concatenate[Any, P], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Any, P], Result]:
    """Return the blocking form of a call that returns one thing."""

    @wraps(call)
    def called(self: Blocking, /, *args: P.args, **options: P.kwargs) -> Result:
        return run(call(self._calls, *args, **options))

    return called


def iterating(
    call: Callable[Concatenate[Any, P], AsyncIterator[Result]],
) -> Callable[Concatenate[Any, P], Generator[Result]]:
    """Return the blocking form of a call that yields things one by one."""

    @wraps(call)
    def called(
        self: Blocking, /, *args: P.args, **options: P.kwargs
    ) -> Generator[Result]:
        return each(call(self._calls, *args, **options))

    return called
