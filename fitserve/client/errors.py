"""The exceptions that a call can raise.

* FitserveError
  x ConnectionFailed   the service cannot be reached
  x UnexpectedAnswer   the server is not fitserve, or is incompatible
  x RunFailed          the run that the client waited for has failed
  x ApiError           the service answered with a problem
    + BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, Conflict 409,
      TooLarge 413, Unprocessable 422, TooManyRequests 429, ServerError 5xx;
      below them a class for each problem type, in problem_errors.py
"""

from typing import Any

from fitserve.problems import FieldError, Problem
from fitserve.schemas.runs import RunRead

__all__ = [
    "ApiError",
    "BadRequest",
    "Conflict",
    "ConnectionFailed",
    "FitserveError",
    "Forbidden",
    "NotFound",
    "RunFailed",
    "ServerError",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "UnexpectedAnswer",
    "Unprocessable",
]


class FitserveError(Exception):
    """The base class of all exceptions of the client; they can be pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _without_init, (type(self), self.args), self.__dict__


def _without_init(kind: type[FitserveError], args: tuple[Any, ...]) -> FitserveError:
    """Return an error with the arguments of Exception, which `__init__` does not take."""
    return kind.__new__(kind, *args)


class ConnectionFailed(FitserveError):
    """The service at the base URL cannot be reached."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"No service answers at {url} ({reason}). Start one with `fitserve up`, or "
            "set FITSERVE_URL."
        )


class UnexpectedAnswer(FitserveError):
    """The server at the base URL is not fitserve, or is an incompatible version."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"The server at {url} is not fitserve, or is an incompatible version: "
            f"{reason}"
        )


class RunFailed(FitserveError):
    """A run failed; `run.error` has the reason."""

    def __init__(self, run: RunRead) -> None:
        why = run.error.detail if run.error else "no reason was recorded"
        super().__init__(f"{run.id} failed: {why}")
        self.run = run


class ApiError(FitserveError):
    """The service refused the request; `problem` is its answer."""

    _way_out: tuple[str, ...] = ()
    """Lines that the client adds after the lines of the service."""

    def __init__(self, problem: Problem) -> None:
        lines = [_line(error) for error in problem.errors]
        super().__init__("\n".join([headline(problem), *lines, *self._way_out]))
        self.problem = problem


def headline(problem: Problem) -> str:
    """Return the detail without what the lines of `errors` repeat, or the title."""
    for first in problem.errors[:1]:
        said = problem.detail.casefold()
        details = (f"{first.pointer}: {first.detail}", first.detail)
        if said.startswith(tuple(text.casefold() for text in details)):
            return f"{problem.title}:"
        head = problem.detail[: said.find(first.detail.casefold())].rstrip()
        if head.endswith(":"):
            return head
    return problem.detail


def _line(error: FieldError) -> str:
    hint = f" ({error.hint})" if error.hint else ""
    return f"  {error.pointer}: {error.detail}{hint}"


class BadRequest(ApiError):
    """400: the request is malformed."""


class Unauthorized(ApiError):
    """401: the API key is missing or invalid."""

    _way_out = (
        (
            "This client sends the key from FITSERVE_API_KEY, from Client(api_key=…) or "
            "from `fitserve --api-key KEY COMMAND`."
        ),
    )


class Forbidden(ApiError):
    """403: the request is not allowed."""


class NotFound(ApiError):
    """404: the named thing does not exist."""


class Conflict(ApiError):
    """409: the current state does not allow the request."""


class TooLarge(ApiError):
    """413: the body has more bytes or rows than the service accepts."""


class Unprocessable(ApiError):
    """422: the body is well-formed but cannot be used."""


class TooManyRequests(ApiError):
    """429: try again later."""


class ServerError(ApiError):
    """5xx: the service failed, or is temporarily unavailable."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Unprocessable,
    429: TooManyRequests,
}


def by_status(status: int) -> type[ApiError]:
    """Return the class of all problems of a status."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
