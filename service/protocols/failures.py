"""A failure in the shape that the clients of a path read; problems elsewhere.

Decided by the path alone: the request gate refuses before anything is routed, and must
speak each protocol too.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from fitserve.problem_types import ProblemType
from fitserve.problems import MEDIA_TYPE, Problem

_JSON = "application/json"


class Failure(NamedTuple):
    """Status, media type and JSON body (or text) of a failed request."""

    status: int
    media_type: str
    body: Any


def failure(problem: Problem, path: str, method: str) -> Failure:
    """The problem as the clients of `path` expect it."""
    for pattern, shape in _SHAPES:
        if pattern.fullmatch(path):
            return shape(problem, method, path)
    return _native(problem, path)


def _native(problem: Problem, path: str) -> Failure:
    body = problem.model_dump(exclude_none=True)
    if _SHARED.fullmatch(path):  # TF Serving's clients ask here too, and read `error`
        body["error"] = problem.detail
    return Failure(problem.status, MEDIA_TYPE, body)


def _tf_serving(problem: Problem, method: str, path: str) -> Failure:
    status, detail = _not_422(problem.status), problem.detail
    is_verb = path.endswith(_VERBS)
    if problem.type in _UNROUTED or (is_verb and method != "POST" and status == 404):
        told = "; see /docs." if status == 404 else f". {detail}"
        status, detail = 400, f"Malformed request: {method} {path}{told}"
    return Failure(status, _JSON, {"error": detail})


def _open_inference(problem: Problem, _: str, __: str) -> Failure:
    return Failure(_not_422(problem.status), _JSON, {"error": problem.detail})


_MLFLOW_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    422: "INVALID_PARAMETER_VALUE",
    503: "TEMPORARILY_UNAVAILABLE",
}


def _mlflow(problem: Problem, _: str, __: str) -> Failure:
    if problem.status == 415:
        return Failure(415, "text/plain", problem.detail)
    fallback = "BAD_REQUEST" if problem.status < 500 else "INTERNAL_ERROR"
    body = {
        "error_code": _MLFLOW_CODES.get(problem.status, fallback),
        "message": problem.detail,
    }
    return Failure(_not_422(problem.status), _JSON, body)


def _openai(problem: Problem, _: str, __: str) -> Failure:
    error = {
        "message": problem.detail,
        "type": "invalid_request_error" if problem.status < 500 else "server_error",
        "param": problem.errors[0].pointer if problem.errors else None,
        "code": problem.type.rpartition("/")[2].replace("-", "_"),
    }
    return Failure(_not_422(problem.status), _JSON, {"error": error})


def _not_422(status: int) -> int:
    return 400 if status == 422 else status


_UNROUTED = (ProblemType.HTTP_404.uri, ProblemType.HTTP_405.uri)
_SHARED = re.compile(r"/v1/models(/[^/]+(/versions/[^/]+)?)?/?")
_VERBS = (":predict", ":classify", ":regress")
_SHAPES: list[tuple[re.Pattern[str], Callable[[Problem, str, str], Failure]]] = [
    (re.compile(r"/v2(/.*)?", re.DOTALL), _open_inference),
    (re.compile(r"/(mlflow/.*|invocations|ping|health|version)", re.DOTALL), _mlflow),
    (re.compile(r"/v1/(files|fine_tuning)(/.*)?", re.DOTALL), _openai),
    (re.compile(r"/v1/models/.+:(predict|classify|regress)", re.DOTALL), _tf_serving),
    (re.compile(r"/v1/models/[^/]+(/[^/]+/[^/]+)?/metadata"), _tf_serving),
    (re.compile(r"/v1/models/[^/]+/labels/[^/]+"), _tf_serving),
]
"""The first pattern that matches a path says how its failures look."""
