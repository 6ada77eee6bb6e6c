"""The door: decided by headers and path alone, before a byte of the body is read.

Pure ASGI, so that a refused upload is never received, and nothing is buffered. Access is
decided on `scope["path"]`, never on a URL that a Host header had a part in.
"""

import logging
import math
import re
import secrets
import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import BadRequest, TooLarge, TooManyRequests
from core.logs import REQUEST_ID
from core.settings import Limits, Settings
from service.auth.authenticator import Authenticator, Headers
from service.auth.scopes import PREDICTS
from service.headers import security_headers
from service.metrics.request_counters import HttpKey, RequestCounters
from service.problems import known_problem, problem_response

access = logging.getLogger("service.access")

_UPLOADS = ("/v1/datasets", "/v1/runs", "/v1/files")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,100}\Z")
_MOST_DIGITS = 20
_REDIRECT = 307
"""Of a path with a slash too many, by Starlette."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE = "none"
"""Refused at the door, or no such route."""

_ONCE = (b"host", b"origin", b"authorization", b"content-encoding", b"x-forwarded-proto")


class RequestGate:
    """Gives every request an id, asks the door who it is, limits the body."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        counters: RequestCounters,
        authenticator: Authenticator,
    ) -> None:
        self._app = app
        self._counters = counters
        self._authenticator = authenticator
        self._logs_access = settings.access_log
        self._limits = settings.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        request_id = _request_id(headers)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        REQUEST_ID.set(request_id)
        send = self._watched(send, scope, request_id)
        limit = _body_limit(scope, self._limits)
        try:
            if len(headers) < len(scope["headers"]):
                _refuse_twins(scope["headers"])
            caller = self._authenticator.peek(scope["method"], scope["path"], headers)
            if caller is None:  # not known yet: the database is asked
                address = (scope.get("client") or ("",))[0]
                caller = await self._authenticator.find(
                    scope["method"], scope["path"], headers, address
                )
            state["caller"] = caller
            _refuse_unsound(scope, headers, limit)
        except Exception as error:
            problem = known_problem(error)
            if problem is None:
                raise
            response = problem_response(problem, scope)
            if isinstance(error, TooManyRequests):
                response.headers["Retry-After"] = str(math.ceil(error.wait_seconds))
            await response(scope, receive, send)
            return
        if b"content-length" not in headers:  # the server holds a body to its length
            receive = _limited(receive, limit)
        await self._app(scope, receive, send)

    def _watched(self, send: Send, scope: Scope, request_id: str) -> Send:
        """The same, with headers of ours; the beginning of the response is counted."""
        began = time.perf_counter()
        identity = (b"x-request-id", request_id.encode())

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if message["status"] == _REDIRECT:
                    headers = [_here(name, value) for name, value in headers]
                message["headers"] = [*headers, identity, *security_headers(headers)]
                key = _key(scope, message["status"])
                seconds = time.perf_counter() - began
                self._counters.answered(key, seconds)
                if self._logs_access:
                    _log_access(scope, message["status"], key, seconds)
            await send(message)

        return wrapped


def _here(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A Location without the host, which a header said: it leads to this service."""
    if name != b"location" or b"://" not in value:
        return name, value
    path = value.partition(b"://")[2].partition(b"/")[2]
    return name, b"/" + path.lstrip(b"/")


def _refuse_unsound(scope: Scope, headers: Headers, limit: int) -> None:
    if b"%00" in scope["query_string"] or "\0" in scope["path"]:
        raise BadRequest("The URL holds the character U+0000, which is not text.")
    length = headers.get(b"content-length", b"0")
    if not (length.isdigit() and len(length) < _MOST_DIGITS and int(length) <= limit):
        raise _too_large(limit)


def _key(scope: Scope, status: int) -> HttpKey:
    """Under what a request is counted: never under what a client made up."""
    method = scope["method"] if scope["method"] in _METHODS else "other"
    route = scope.get("route")
    return method, getattr(route, "path", _NO_ROUTE), status // 100


def _log_access(scope: Scope, status: int, key: HttpKey, seconds: float) -> None:
    """One line a request; the query string stays out of it."""
    line = (scope["method"], scope["path"], status)
    facts = {"status": status, "route": key[1], "seconds": round(seconds, 6)}
    access.info("%s %s %d", *line, extra={"facts": facts})


def _refuse_twins(headers: Iterable[tuple[bytes, bytes]]) -> None:
    names = [name for name, _ in headers if name in _ONCE]
    if len(set(names)) < len(names):
        raise BadRequest(
            "A header that may occur once came twice, such as Host or Authorization."
        )


def _request_id(headers: Headers) -> str:
    given = headers.get(b"x-request-id")
    if given is not None and _REQUEST_ID.match(given):
        return given.decode()
    return secrets.token_hex(8)


def _body_limit(scope: Scope, limits: Limits) -> int:
    if scope["method"] != "POST":
        return limits.max_body_bytes
    path = scope["path"].rstrip("/")
    if path in _UPLOADS:
        return limits.max_upload_bytes
    if path.endswith(PREDICTS):
        return limits.max_predict_body_bytes
    return limits.max_body_bytes


def _limited(receive: Receive, limit: int) -> Receive:
    """The same stream, cut where a body without Content-Length passes the limit."""
    read = 0

    async def wrapped() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large(limit)
        return message

    return wrapped


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit:,} bytes, the limit of this route.")
