"""Show the refusal of a file with the places of the faults in the file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fitserve.client import ApiError
from fitserve.client.errors import headline
from fitserve.problems import FieldError, Problem

_MOST_SHOWN = 10


class RefusedFile(ApiError):
    """A refusal with a custom text."""

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


def listed(problem: Problem, show: Callable[[FieldError], str], margin: str = "") -> str:
    """Return a refusal with its first faults, and the number of other faults."""
    faults = dict.fromkeys(show(error) for error in problem.errors[:_MOST_SHOWN])
    more = len(problem.errors) - _MOST_SHOWN
    rest = [f"and {more} more"] if more > 0 else []
    return f"\n{margin}".join([headline(problem), *faults, *rest])
