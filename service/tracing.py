"""Create a span for every request except predictions, which skip this middleware."""

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Span  # an extra


class Traced:
    """Create spans by the semantic conventions of HTTP, within the caller's trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with tracing.span(
            scope["method"], _parent(scope), _attributes(scope), is_server=True
        ) as made:
            await self._app(scope, receive, _watched(send, scope, made))


def _watched(send: Send, scope: Scope, made: "Span | None") -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start" and made is not None:
            _end(made, scope, message["status"])
        await send(message)

    return wrapped


def _end(made: "Span", scope: Scope, status: int) -> None:
    route = getattr(scope.get("route"), "path", None)
    if route is not None:
        made.update_name(f"{scope['method']} {route}")
        made.set_attribute("http.route", route)
    made.set_attribute("http.response.status_code", status)
    if status >= 500:
        made.set_status(tracing.sdk.StatusCode.ERROR)


def _parent(scope: Scope) -> str | None:
    given = dict(scope["headers"]).get(b"traceparent")
    return given.decode("latin-1") if given is not None else None


def _attributes(scope: Scope) -> dict[str, str]:
    return {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "fitserve.request_id": scope["state"]["request_id"],
    }
