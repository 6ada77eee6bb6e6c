"""The fast lane: predict requests are answered before FastAPI routes them.

They are nearly all of what a service is asked. FastAPI's routing, its dependencies and
its parsing cost several times what a network's answer does; the routes are declared there
all the same, for the OpenAPI page, and these are their endpoints (docs/decisions/0013).
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import known_problem, problem_response

Endpoint = Callable[..., Awaitable[Response]]


class PredictFastPath:
    """Calls the endpoints of some routers by itself.

    Args:
        app: answers every other request.
        routers: their POST routes take path parameters and `request`, nothing else.

    """

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self._app = app
        routes = [route for router in routers for route in _posts(router)]
        self._exact: dict[str, APIRoute] = {
            r.path: r for r in routes if not r.param_convertors
        }
        self._patterns = [
            (r.path_regex.match, _Caller(r)) for r in routes if r.param_convertors
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            answering = self._answering(scope["path"], Request(scope, receive))
            if answering is not None:
                response = await _or_problem(answering, scope)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _answering(self, path: str, request: Request) -> Awaitable[Response] | None:
        route = self._exact.get(path)
        if route is not None:
            request.scope["route"] = route
            endpoint: Endpoint = route.endpoint
            return endpoint(request=request)
        for match, caller in self._patterns:
            if found := match(path):
                request.scope["route"] = caller.route
                return caller(found, request)
        return None


class _Caller:
    """Calls the endpoint of a route with what its path held."""

    def __init__(self, route: APIRoute) -> None:
        self.route = route
        self._endpoint: Endpoint = route.endpoint
        self._convert = {
            name: convertor.convert for name, convertor in route.param_convertors.items()
        }

    def __call__(self, found: re.Match[str], request: Request) -> Awaitable[Response]:
        values: dict[str, Any] = {
            name: self._convert[name](text) for name, text in found.groupdict().items()
        }
        return self._endpoint(request=request, **values)


def _posts(router: APIRouter) -> Iterable[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute) and "POST" in (route.methods or ()):
            yield route


async def _or_problem(answering: Awaitable[Response], scope: Scope) -> Response:
    try:
        return await answering
    except Exception as error:
        problem = known_problem(error)
        if problem is None:
            raise
        return problem_response(problem, scope)
