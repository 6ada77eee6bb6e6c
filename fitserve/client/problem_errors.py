"""An exception class for each problem type that a call can raise.

`InvalidSpec` is the problem `/problems/invalid-spec`, and a subclass of `Unprocessable`.
Type checkers read problem_errors.pyi, which `python -m docs.generate` writes.
"""

from fitserve.client.errors import ApiError, by_status
from fitserve.problem_types import RAISED, ProblemType
from fitserve.problems import Problem


def _class_of(kind: ProblemType) -> type[ApiError]:
    """Return the class of a problem type: a new one below the class of its status."""
    base = by_status(kind.status)
    if base.__name__ == kind.error_name:
        return base
    facts = {"__doc__": f"{kind.status}: {kind.meaning}", "__module__": __name__}
    return type(kind.error_name, (base,), facts)


_CLASSES = {kind.uri: _class_of(kind) for kind in RAISED}
_MADE = {c.__name__: c for c in _CLASSES.values() if c.__module__ == __name__}
globals().update(_MADE)
__all__ = list(_MADE)


def error_from_problem(problem: Problem) -> ApiError:
    """Return the problem as an error of the class of its type, or of its status."""
    fallback = by_status(problem.status)
    kind = _CLASSES.get(problem.type, fallback)
    return (kind if issubclass(kind, fallback) else fallback)(problem)
