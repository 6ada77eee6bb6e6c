"""The door: decided by headers and path alone, before a byte of the body is read.

Pure ASGI, so that a refused upload is never received, and nothing is buffered. Access is
decided on `scope["path"]`, never on a URL that a Host header had a part in.
"""

import hmac
import logging
import re
import secrets
import time
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import TooLarge
from core.logs import REQUEST_ID
from core.settings import Limits, Settings
from fitserve.problems import Problem
from service.headers import security_headers
from service.metrics.tally import HttpKey, Tally
from service.pages import OPEN, OPEN_FOLDERS
from service.problems import problem_response

access = logging.getLogger("service.access")

_OPEN = (
    *("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"),
    *("/ping", "/health"),
    *OPEN,
)
"""Probes need no key: they tell nothing but that the service is there. Nor do pages."""
_UPLOADS = ("/v1/datasets", "/v1/runs", "/v1/files")
_PREDICTS = ("/predict", ":predict", ":classify", ":regress", "/infer", "/invocations")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,100}\Z")
_MOST_DIGITS = 20
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE = "none"
"""Refused at the door, or no such route."""

Headers = dict[bytes, bytes]
"""The last of each name; twins of those that decide something are refused."""
_ONCE = (b"host", b"origin", b"authorization", b"content-encoding", b"x-forwarded-proto")


class Edge:
    """Gives every request an id, checks key and host, limits the body."""

    def __init__(self, app: ASGIApp, settings: Settings, tally: Tally) -> None:
        self._app = app
        self._tally = tally
        self._logs_access = settings.access_log
        self._open = {*_OPEN, *(["/metrics"] if settings.metrics_open else [])}
        self._limits = settings.limits
        key = settings.api_key
        self._key = key.get_secret_value().encode() if key else None
        self._origins = {origin.encode() for origin in settings.cors_origins}
        self._hosts = {host.lower().encode() for host in settings.allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)
        send = self._watched(send, scope, request_id)
        limit = _body_limit(scope, self._limits)
        if problem := self._refusal(scope, headers, limit):
            await problem_response(problem, scope)(scope, receive, send)
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
                message["headers"] = [*headers, identity, *security_headers(headers)]
                key = _key(scope, message["status"])
                seconds = time.perf_counter() - began
                self._tally.answered(key, seconds)
                if self._logs_access:
                    _log_access(scope, message["status"], key, seconds)
            await send(message)

        return wrapped

    def _refusal(self, scope: Scope, headers: Headers, limit: int) -> Problem | None:
        if len(headers) < len(scope["headers"]) and _has_twins(scope["headers"]):
            return _TWINS
        if self._key is None:
            if not self._is_local(headers):
                return _FORBIDDEN_HOST
        elif not self._is_open(scope["path"]) and not self._bears_key(headers):
            return _UNAUTHORIZED
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:
            return _NUL
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and len(length) < _MOST_DIGITS and int(length) <= limit:
            return None
        return _too_large(limit).problem()

    def _is_open(self, path: str) -> bool:
        return path in self._open or path.startswith(OPEN_FOLDERS)

    def _bears_key(self, headers: Headers) -> bool:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        assert self._key is not None  # noqa: S101  asked only then
        return scheme.lower() == b"bearer" and hmac.compare_digest(
            token.strip(), self._key
        )

    def _is_local(self, headers: Headers) -> bool:
        """Without a key only this machine's own programs may ask.

        A web page that talks to localhost betrays itself by Origin, a rebound DNS name
        by Host.
        """
        if _host_name(headers.get(b"host", b"")) not in self._hosts:
            return False
        origin = headers.get(b"origin")
        if origin is None or origin in self._origins:
            return True
        return _host_name(origin.partition(b"://")[2]) in self._hosts


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


def _has_twins(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    names = [name for name, _ in headers if name in _ONCE]
    return len(set(names)) < len(names)


def _host_name(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return (name if colon and port.isdigit() else host).lower()


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
    if path.endswith(_PREDICTS):
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


def _problem(status: int, slug: str, title: str, sentences: Iterable[str]) -> Problem:
    detail = " ".join(sentences)
    return Problem(type=f"/problems/{slug}", title=title, status=status, detail=detail)


_NUL = _problem(
    400,
    "bad-request",
    "Bad request",
    ("The URL holds the character U+0000, which is no text.",),
)
_TWINS = _problem(
    400,
    "bad-request",
    "Bad request",
    ("A header that may stand once came twice, such as Host or Authorization.",),
)
_UNAUTHORIZED = _problem(
    401,
    "unauthorized",
    "Unauthorized",
    ("This service wants an API key.", "Send it as `Authorization: Bearer <key>`."),
)
_FORBIDDEN_HOST = _problem(
    403,
    "forbidden-host",
    "Host not allowed",
    (
        "Without an API key this service answers only to its own machine, under",
        "localhost or 127.0.0.1. Set FITSERVE_API_KEY, or FITSERVE_ALLOWED_HOSTS.",
    ),
)
