"""Admit or refuse a request by its headers and path, before its body is read.

The gate is pure ASGI, so it receives no refused upload and buffers nothing. Access is
decided on `scope["path"]`, never on a URL that includes the Host header.
"""

import logging
import math
import random
import re
import time
from collections.abc import Iterable
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import BadRequest, InvalidQuery, TooLarge, TooManyRequests
from core.logs import REQUEST_ID
from core.settings import Settings
from fitserve.names import did_you_mean
from service.auth.authenticator import Authenticator, Headers
from service.headers import security_headers
from service.metrics.request_counters import HttpKey, RequestCounters
from service.problems import error_response
from service.route_table import RouteEntry, RouteTable

access = logging.getLogger("service.access")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,100}\Z")
_MOST_DIGITS = 20
_REDIRECT = 307
"""The status of Starlette's redirect from a path with an extra slash at its end."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_random = random.Random()  # noqa: S311  ids are no secrets; four times as fast as `secrets`
_NO_ROUTE = "none"
"""The label of requests that were refused, or have no route."""

_SINGLE_HEADERS = (
    b"host",
    b"origin",
    b"authorization",
    b"content-encoding",
    b"x-forwarded-proto",
)


class RequestGate:
    """Give every request an id, find its route and caller, and limit its body."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        routes: RouteTable,
        counters: RequestCounters,
        authenticator: Authenticator,
    ) -> None:
        self._app = app
        self._routes = routes
        self._counters = counters
        self._authenticator = authenticator
        self._logs_access = settings.access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = _request_id(headers)
        REQUEST_ID.set(request_id)
        send = self._observed(send, scope, request_id)
        state["match"] = entry, _ = self._routes.find(scope["method"], scope["path"])
        limit = entry.max_bytes
        try:
            if len(headers) < len(scope["headers"]):
                _refuse_repeated(scope["headers"])
            required, path = entry.scope, scope["path"]
            caller = self._authenticator.peek(required, path, headers)
            if caller is None:  # not cached: query the database
                address = (scope.get("client") or ("",))[0]
                caller = await self._authenticator.find(required, path, headers, address)
            state["caller"] = caller
            _refuse_bad_path_or_length(scope, headers, limit)
            if scope["query_string"] and entry.query is not None:
                _refuse_unknown_parameters(scope, entry, entry.query)
        except Exception as error:  # noqa: BLE001  no other handler is around the gate
            await _refusal(error, scope)(scope, receive, send)
            return
        if b"content-length" not in headers:  # the server enforces a given length
            receive = _limited(receive, limit)
        await self._app(scope, receive, send)

    def _observed(self, send: Send, scope: Scope, request_id: str) -> Send:
        """Wrap `send` to add headers, and to count a response when it begins."""
        began = time.perf_counter()
        identity = (b"x-request-id", request_id.encode())

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if message["status"] == _REDIRECT:
                    headers = [_without_host(name, value) for name, value in headers]
                message["headers"] = [*headers, identity, *security_headers(headers)]
                key = _counter_key(scope, message["status"])
                seconds = time.perf_counter() - began
                self._counters.answered(key, seconds)
                if self._logs_access:
                    _log_access(scope, message["status"], key, seconds)
            await send(message)

        return wrapped


def _refusal(error: Exception, scope: Scope) -> Response:
    """Return the response to a request that the gate refuses, or fails on by a bug."""
    response = error_response(error, scope)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(math.ceil(error.wait_seconds))
    return response


def _without_host(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a header; remove the host, which the client chose, from a Location."""
    if name != b"location" or b"://" not in value:
        return name, value
    path = value.partition(b"://")[2].partition(b"/")[2]
    return name, b"/" + path.lstrip(b"/")


def _refuse_bad_path_or_length(scope: Scope, headers: Headers, limit: int) -> None:
    if b"%00" in scope["query_string"] or "\0" in scope["path"]:
        raise BadRequest("The URL contains the character U+0000; remove it.")
    length = headers.get(b"content-length", b"0")
    if not (length.isdigit() and len(length) < _MOST_DIGITS and int(length) <= limit):
        raise _too_large(limit)


def _refuse_unknown_parameters(
    scope: Scope, entry: RouteEntry, known: frozenset[str]
) -> None:
    """Raise InvalidQuery for a parameter that the route would ignore."""
    query = scope["query_string"].decode("latin-1")
    given = (name for name, _ in parse_qsl(query, keep_blank_values=True))
    unknown = next((name for name in given if name not in known), None)
    if unknown is None:
        return
    hint = (
        did_you_mean(unknown, sorted(known))
        if known
        else "the route has none; leave it out."
    )
    raise InvalidQuery(
        f"`{unknown[:100]}` is not a query parameter of {entry.method} {entry.path}: "
        f"{hint}"
    )


def _counter_key(scope: Scope, status: int) -> HttpKey:
    """Return the key of the request's counter, without any text of the client."""
    method = scope["method"] if scope["method"] in _METHODS else "other"
    route = scope.get("route")
    return method, getattr(route, "path", _NO_ROUTE), status // 100


def _log_access(scope: Scope, status: int, key: HttpKey, seconds: float) -> None:
    """Log one line for the request, without its query string."""
    line = (scope["method"], scope["path"], status)
    facts = {"status": status, "route": key[1], "seconds": round(seconds, 6)}
    access.info("%s %s %d", *line, extra={"facts": facts})


def _refuse_repeated(headers: Iterable[tuple[bytes, bytes]]) -> None:
    names = [name for name, _ in headers if name in _SINGLE_HEADERS]
    if len(set(names)) < len(names):
        raise BadRequest(
            "A header such as Host or Authorization occurs twice; send it once."
        )


def _request_id(headers: Headers) -> str:
    given = headers.get(b"x-request-id")
    if given is not None and _REQUEST_ID.match(given):
        return given.decode()
    return f"{_random.getrandbits(64):016x}"


def _limited(receive: Receive, limit: int) -> Receive:
    """Wrap `receive` to raise TooLarge once the body exceeds the limit."""
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
