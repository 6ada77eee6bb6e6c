"""What a call can raise.

* FitserveError
  x ConnectionFailed   the service cannot be reached
  x UnexpectedAnswer   something answers, and it is no fitserve
  x RunFailed          a run that was waited for has failed
  x ApiError           the service answered with a problem
    + BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, Conflict 409,
      TooLarge 413, Unprocessable 422, TooManyRequests 429, ServerError 5xx;
      below them a class for every problem, in refusals.py
"""

from fitserve.problems import Problem
from fitserve.schemas.runs import RunRead


class FitserveError(Exception):
    """The root of everything the client raises."""


class ConnectionFailed(FitserveError):
    """Nothing answers at the base URL."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"No service answers at {url} ({reason}). Start one with `fitserve up`, or "
            "set FITSERVE_URL."
        )


class UnexpectedAnswer(FitserveError):
    """What answers at the base URL does not speak as this client expects."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"What answers at {url} is no fitserve, or one of another version: {reason}"
        )


class RunFailed(FitserveError):
    """A run ended as failed; `run` tells everything, `run.error` why."""

    def __init__(self, run: RunRead) -> None:
        why = run.error.detail if run.error else "no reason was recorded"
        super().__init__(f"{run.id} failed: {why}")
        self.run = run


class ApiError(FitserveError):
    """The service refused; `problem` is its answer, `str()` the sentences in it."""

    _way_out: tuple[str, ...] = ()
    """What this client adds, in its own words."""

    def __init__(self, problem: Problem) -> None:
        lines = [headline(problem), *_lines(problem), *self._way_out]
        super().__init__("\n".join(lines))
        self.problem = problem

    def __reduce__(self) -> tuple[type["ApiError"], tuple[Problem]]:
        return type(self), (self.problem,)  # it crosses processes whole


def headline(problem: Problem) -> str:
    """What is said of the whole: not again what the lines below it say."""
    for first in problem.errors[:1]:
        said = problem.detail.casefold()
        told = (f"{first.pointer}: {first.detail}", first.detail)
        if said.startswith(tuple(text.casefold() for text in told)):
            return f"{problem.title}:"
    return problem.detail


def _lines(problem: Problem) -> list[str]:
    return [
        f"  {error.pointer}: {error.detail}" + (f" ({error.hint})" if error.hint else "")
        for error in problem.errors
    ]


class BadRequest(ApiError):
    """400: the body is not JSON."""


class Unauthorized(ApiError):
    """401: the API key is absent or wrong."""

    _way_out = (
        (
            "This client sends the key in FITSERVE_API_KEY, or the one of "
            "Client(api_key=…) or `fitserve --api-key KEY COMMAND`."
        ),
    )


class Forbidden(ApiError):
    """403: not from here."""


class NotFound(ApiError):
    """404: nothing has that name."""


class Conflict(ApiError):
    """409: the state of things forbids it."""


class TooLarge(ApiError):
    """413: more bytes or rows than the service takes."""


class Unprocessable(ApiError):
    """422: the body cannot be used as it is."""


class TooManyRequests(ApiError):
    """429: try again later."""


class ServerError(ApiError):
    """5xx: the service cannot, for now or by its own fault."""


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
    """The class of every problem of that status."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
