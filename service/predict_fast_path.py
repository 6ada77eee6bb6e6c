"""Answer predict requests before FastAPI routes them.

Nearly all requests of a service are predict requests, and FastAPI's routing, dependencies
and parsing take several times as long as the network. The endpoints are also FastAPI
routes, for the OpenAPI document (docs/decisions/0013).
"""

from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.disconnects import log_disconnect
from service.problems import error_response
from service.route_table import RouteEntry


class PredictFastPath:
    """Call the endpoints of routes that are declared `is_fast`.

    The request gate stores the route of the request in its state.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            entry, texts = scope["state"]["match"]
            if entry.is_fast:
                scope["route"] = entry.route
                await _respond(entry, texts, Request(scope, receive), send)
                return
        await self._app(scope, receive, send)


async def _respond(
    entry: RouteEntry, values: dict[str, Any], request: Request, send: Send
) -> None:
    """Send the answer to a request, unless its client disconnected."""
    try:
        response = await _answer(entry, values, request)
    except ClientDisconnect:
        log_disconnect()
    else:
        await response(request.scope, request.receive, send)


async def _answer(
    entry: RouteEntry, values: dict[str, Any], request: Request
) -> Response:
    for name, convert in entry.convert.items():
        values[name] = convert(values[name])
    try:
        response: Response = await entry.endpoint(request=request, **values)
    except ClientDisconnect:
        raise
    except Exception as error:  # noqa: BLE001  no other handler is around this one
        return error_response(error, request.scope)
    return response
