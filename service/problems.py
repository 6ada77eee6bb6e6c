"""Convert every error to a response.

Native routes send `application/problem+json`; other protocols have their own formats.
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
from core.errors import FitserveError, Invalid
from fitserve.problem_types import ProblemType
from fitserve.problems import Problem, field_errors, sentences, without_secrets

log = logging.getLogger(__name__)

INTERNAL_ERROR = "The service failed because of a bug; see its log."
_PARAMETER = re.compile(r"\{[^}]*\}")


class BadJson(FitserveError):
    problem_type = ProblemType.BAD_JSON


class BadEncoding(FitserveError):
    problem_type = ProblemType.BAD_ENCODING


class BadIdempotencyKey(FitserveError):
    problem_type = ProblemType.BAD_IDEMPOTENCY_KEY


class InvalidBody(Invalid):
    """The body is JSON but does not have the form that the route expects."""

    @classmethod
    def of(cls, error: ValidationError, body: object) -> "InvalidBody":
        """Return an error that lists everything that pydantic found in `body`."""
        errors = field_errors(error.errors(include_url=False), body)
        return cls(sentences(errors), errors)


def problem_response(problem: Problem, scope: Scope) -> Response:
    """Return a response with the problem, in the error format of the protocol."""
    located = problem.model_copy(
        update={
            "instance": scope["path"],
            "request_id": scope.get("state", {}).get("request_id"),
        }
    )
    headers = {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status in (429, 503) or problem.type == ProblemType.REQUEST_IN_FLIGHT.uri:
        headers["Retry-After"] = "1"
    table = scope["app"].state.routes
    status, media_type, body = table.failure(located, scope["method"], scope["path"])
    content = body if isinstance(body, str) else orjson.dumps(body)
    return Response(content, status, headers, media_type=media_type)


def add_problem_handlers(app: FastAPI) -> None:
    """Register a handler that answers every exception with a problem."""
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
    return error_response(error, request.scope)


def error_response(error: Exception, scope: Scope) -> Response:
    """Return the problem of an exception; log an unexpected one, which is a bug."""
    problem = known_problem(error)
    if problem is not None:
        return problem_response(problem, scope)
    log.error("unexpected error", exc_info=error)
    problem = ProblemType.INTERNAL_ERROR.problem(INTERNAL_ERROR)
    response = problem_response(problem, scope)
    response.headers["Connection"] = "close"  # the server closes it after an exception
    return response


def known_problem(error: Exception) -> Problem | None:
    """Return the problem of a FitserveError or an unavailable database, else None."""
    if isinstance(error, FitserveError):
        return error.problem()
    if is_away(error):
        log.error("the database is unavailable", exc_info=error)
        return ProblemType.DATABASE_UNAVAILABLE.problem(
            "The database does not answer. Nothing was changed; send the request again."
        )
    return None


def _http(request: Request, error: HTTPException) -> Response:
    status, detail = error.status_code, str(error.detail)
    if status == 404:
        detail = f"There is no route {request.method} {request.scope['path']}; see /docs."
    headers = dict(error.headers or {})
    if status == 405:
        # a folder of static files has no route
        headers["Allow"] = allowed = ", ".join(_methods(request)) or "GET"
        detail = f"{request.scope['path']} accepts {allowed}, not {request.method}."
    response = problem_response(_http_problem(status, detail), request.scope)
    response.headers.update(headers)
    return response


def _http_problem(status: int, detail: str) -> Problem:
    listed = ProblemType.__members__.get(f"HTTP_{status}")
    if listed is not None:
        return listed.problem(detail)
    uri = f"/problems/http-{status}"
    return Problem(type=uri, title="HTTP error", status=status, detail=detail)


def _methods(request: Request) -> list[str]:
    """Return the methods of the path; the exception has only those of one route.

    If several routes match, such as `/keys/{key_id}` and `/keys/current`, the route with
    the longest literal part counts.
    """
    by_path: dict[str, set[str]] = {}
    for route in iter_route_contexts(request.app.router.routes):
        if route.methods and route.matches(request.scope)[0] != Match.NONE:
            by_path.setdefault(route.path or "", set()).update(route.methods)
    closest = max(by_path, key=lambda path: len(_PARAMETER.sub("", path)), default="")
    return sorted(by_path.get(closest, set()) & {"DELETE", "GET", "PATCH", "POST", "PUT"})


def _validation(request: Request, error: RequestValidationError) -> Response:
    """Return the response to errors that FastAPI found in the request."""
    errors = field_errors(error.errors())
    for found, line in zip(errors, error.errors(), strict=False):
        found.pointer = without_secrets("#/" + "/".join(map(str, line["loc"])))
    problem = InvalidBody(sentences(errors), errors).problem()
    parts = {str(line["loc"][0]) for line in error.errors()}
    if parts <= {"path", "query"}:
        problem.title = f"Invalid {' and '.join(sorted(parts))}"
    return problem_response(problem, request.scope)
