"""Show the refusal of a file with the places of its faults in that file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fitserve.client import ApiError
from fitserve.problems import Problem

MOST_SHOWN = 10
"""Faults; the others are counted."""


class RefusedFile(ApiError):
    """A refusal with a text of its own."""

    def __init__(self, problem: Problem, shown: str) -> None:
        super().__init__(problem)
        self._shown = shown

    def __str__(self) -> str:
        return self._shown


@contextmanager
def shown_by(show: Callable[[Problem], str]) -> Iterator[None]:
    """Raise a refusal that names faults as RefusedFile, with the text of `show`."""
    try:
        yield
    except ApiError as error:
        if not error.problem.errors:
            raise
        raise RefusedFile(error.problem, show(error.problem)) from error
