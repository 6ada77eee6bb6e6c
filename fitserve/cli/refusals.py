"""Refusals of what was read from a file, shown where it stands there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fitserve.client import ApiError
from fitserve.problems import Problem

MOST_SHOWN = 10
"""Faults; the others are counted."""


class RefusedFile(ApiError):
    """A refusal in the words of the file that its faults come from."""

    def __init__(self, problem: Problem, shown: str) -> None:
        super().__init__(problem)
        self._shown = shown

    def __str__(self) -> str:
        return self._shown


@contextmanager
def shown_by(show: Callable[[Problem], str]) -> Iterator[None]:
    """Refusals that name faults come out as RefusedFile, as `show` tells them."""
    try:
        yield
    except ApiError as error:
        if not error.problem.errors:
            raise
        raise RefusedFile(error.problem, show(error.problem)) from error
