"""Every failure as a problem, by one handler for each kind.

Native routes answer `application/problem+json`, others what their clients read.
"""

import logging
import re

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from core.database.engine import is_away
from core.errors import FitserveError
from fitserve.problems import Problem, field_errors, sentences
from service.protocols.failures import failure

log = logging.getLogger(__name__)

_DATABASE_UNAVAILABLE = Problem(
    type="/problems/database-unavailable",
    title="Database unavailable",
    status=503,
    detail="The database does not answer; nothing was changed. Ask again.",
)
_PARAMETER = re.compile(r"\{[^}]*\}")
_PASSING = frozenset({"/problems/request-in-flight"})
_TITLES = {
    400: "Bad request",
    404: "No such route",
    405: "Method not allowed",
    413: "Body too large",
    415: "Unsupported media type",
}


class BadJson(FitserveError):
    """The body is no JSON at all."""

    status, slug, title = 400, "bad-json", "Body is not JSON"


class BadEncoding(FitserveError):
    """The body is packed in a way that cannot be unpacked."""

    status, slug, title = 400, "bad-encoding", "Body cannot be unpacked"


class BadIdempotencyKey(FitserveError):
    """The header cannot be a key."""

    status, slug, title = 400, "bad-idempotency-key", "Bad idempotency key"


class InvalidBody(FitserveError):
    """The body is JSON, but not what the route takes."""

    status, slug, title = 422, "invalid-body", "Body does not fit"

    @classmethod
    def of(cls, error: ValidationError, body: object) -> "InvalidBody":
        """All faults that pydantic found in `body`."""
        errors = field_errors(error.errors(include_url=False), body)
        return cls(sentences(errors), errors)


def problem_response(problem: Problem, scope: Scope) -> Response:
    """The problem, told which request it answers, in the shape its clients read."""
    told = problem.model_copy(
        update={
            "instance": scope["path"],
            "request_id": scope.get("state", {}).get("request_id"),
        }
    )
    headers = {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status in (429, 503) or problem.type in _PASSING:
        headers["Retry-After"] = "1"
    status, media_type, body = failure(told, scope["path"], scope["method"])
    content = body if isinstance(body, str) else orjson.dumps(body)
    return Response(content, status, headers, media_type=media_type)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every kind of exception with a problem."""
    for kind in (
        *(FitserveError, HTTPException, RequestValidationError),
        *(DBAPIError, Exception),
    ):
        app.add_exception_handler(kind, _answer)


def _answer(request: Request, error: Exception) -> Response:
    """Return the answer to a request that ended in an exception of any kind."""
    if isinstance(error, HTTPException):
        return _http(request, error)
    if isinstance(error, RequestValidationError):
        return _validation(request, error)
    problem = known_problem(error)
    if problem is None:
        return _unknown(request, error)
    return problem_response(problem, request.scope)


def known_problem(error: Exception) -> Problem | None:
    """The problem that an exception of ours, or of the database, means."""
    if isinstance(error, FitserveError):
        return error.problem()
    if is_away(error):
        log.error("database out of reach", exc_info=error)
        return _DATABASE_UNAVAILABLE
    return None


def _http(request: Request, error: HTTPException) -> Response:
    status, title = error.status_code, _TITLES.get(error.status_code, "HTTP error")
    detail = str(error.detail)
    if status == 404:
        detail = f"{request.method} {request.scope['path']} is no route here; see /docs."
    headers = dict(error.headers or {})
    if status == 405:
        # a folder of files is no route
        headers["Allow"] = allowed = ", ".join(_methods(request)) or "GET"
        detail = f"{request.scope['path']} takes {allowed}, not {request.method}."
    problem = Problem(
        type=f"/problems/http-{status}", title=title, status=status, detail=detail
    )
    response = problem_response(problem, request.scope)
    response.headers.update(headers)
    return response


def _methods(request: Request) -> list[str]:
    """What the path takes; the exception knows the first route's alone.

    Of routes that a parameter makes fit (`/keys/{key_id}` for `/keys/current`), those
    that say most of the path themselves are meant.
    """
    by_path: dict[str, set[str]] = {}
    for route in iter_route_contexts(request.app.router.routes):
        if route.methods and route.matches(request.scope)[0] != Match.NONE:
            by_path.setdefault(route.path or "", set()).update(route.methods)
    closest = max(by_path, key=lambda path: len(_PARAMETER.sub("", path)), default="")
    return sorted(by_path.get(closest, set()) & {"DELETE", "GET", "POST", "PUT"})


def _validation(request: Request, error: RequestValidationError) -> Response:
    """Path and query parameters, and the small bodies that FastAPI reads."""
    errors = field_errors(error.errors())
    for found, line in zip(errors, error.errors(), strict=False):
        found.pointer = "#/" + "/".join(str(part) for part in line["loc"])
    said = InvalidBody(sentences(errors), errors)
    return problem_response(said.problem(), request.scope)


def _unknown(request: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    problem = FitserveError("The service made a mistake; its log tells more.").problem()
    return problem_response(problem, request.scope)
