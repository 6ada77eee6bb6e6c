"""The formats of error responses, one for each protocol.

A router declares its format (`errors=`); problems (RFC 9457) are the default.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from fitserve.problem_types import ProblemType
from fitserve.problems import MEDIA_TYPE, Problem

_JSON = "application/json"
_MLFLOW_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    422: "INVALID_PARAMETER_VALUE",
    503: "TEMPORARILY_UNAVAILABLE",
}
_UNROUTED = (ProblemType.HTTP_404.uri, ProblemType.HTTP_405.uri)
_VERBS = (":predict", ":classify", ":regress")


class Failure(NamedTuple):
    """Status, media type and JSON body (or text) of a failed request."""

    status: int
    media_type: str
    body: Any


ErrorFormat = Callable[[Problem, str, str], Failure]
"""A function that converts a problem, with the method and the path of the request."""


def native(problem: Problem, _: str, __: str) -> Failure:
    """Write a problem without changes."""
    return Failure(problem.status, MEDIA_TYPE, problem.model_dump(exclude_none=True))


def native_with_error(problem: Problem, method: str, path: str) -> Failure:
    """Write a problem with the key `error`, for TF Serving's clients on native paths."""
    status, media_type, body = native(problem, method, path)
    return Failure(status, media_type, body | {"error": problem.detail})


def open_inference(problem: Problem, _: str, __: str) -> Failure:
    """Write `{"error": …}`, as Open Inference's clients read it."""
    return Failure(_not_422(problem.status), _JSON, {"error": problem.detail})


def tf_serving(problem: Problem, method: str, path: str) -> Failure:
    """Write `{"error": …}`; TF Serving answers unknown routes with 400."""
    status, detail = _not_422(problem.status), problem.detail
    is_verb = path.endswith(_VERBS)
    if problem.type in _UNROUTED or (is_verb and method != "POST" and status == 404):
        reason = "; see /docs." if status == 404 else f". {detail}"
        status, detail = 400, f"Malformed request: {method} {path}{reason}"
    return Failure(status, _JSON, {"error": detail})


def mlflow(problem: Problem, _: str, __: str) -> Failure:
    """Write an error code of MLflow and a message; the error 415 is plain text."""
    if problem.status == 415:
        return Failure(415, "text/plain", problem.detail)
    fallback = "BAD_REQUEST" if problem.status < 500 else "INTERNAL_ERROR"
    body = {
        "error_code": _MLFLOW_CODES.get(problem.status, fallback),
        "message": problem.detail,
    }
    return Failure(_not_422(problem.status), _JSON, body)


def openai(problem: Problem, _: str, __: str) -> Failure:
    """Write an error object of OpenAI."""
    error = {
        "message": problem.detail,
        "type": "invalid_request_error" if problem.status < 500 else "server_error",
        "param": problem.errors[0].pointer if problem.errors else None,
        "code": problem.type.rpartition("/")[2].replace("-", "_"),
    }
    return Failure(_not_422(problem.status), _JSON, {"error": error})


def _not_422(status: int) -> int:
    return 400 if status == 422 else status
