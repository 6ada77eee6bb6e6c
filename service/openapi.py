"""Complete FastAPI's OpenAPI document: summaries, keys and shared definitions.

Routes that read their bodies themselves give FastAPI a schema with its own `$defs`. A
reference starts at the root of the document, so these definitions are moved to
`components`, where generated clients also find their names.
"""

import re
from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.auth.scopes import Access
from service.route_table import RouteTable
from service.router import declare

Json = dict[str, Any]

_DEFS = "#/$defs/"
_COMPONENTS = "#/components/schemas/"

_KEY = {"type": "http", "scheme": "bearer", "description": "The service's API key."}


def whole_page(app: FastAPI, *, wants_key: bool) -> None:
    """Complete the application's OpenAPI document, and serve it at /openapi.json."""
    make = app.openapi
    done: list[Json] = []
    lock = Lock()

    def openapi() -> Json:
        with lock:
            page = make()
            if not any(page is one for one in done):
                split_summaries(page)
                gather_definitions(page)
                add_security(page, app.state.routes, wants_key=wants_key)
                done[:] = [page]
            return page

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it
    _serve(app)


def _serve(app: FastAPI) -> None:
    """Serve the document from a thread; FastAPI's own route blocks the event loop.

    Creating the document takes most of a second, and the dashboard requests it first.
    """

    @cache
    def body() -> bytes:
        return bytes(JSONResponse(app.openapi()).body)

    @declare(scope=Access.OPEN)
    def document(_: Request) -> Response:
        return Response(body(), media_type="application/json")

    app.add_route("/openapi.json", document, include_in_schema=False)


def split_summaries(page: Json) -> None:
    """Move the first sentence of each description to the summary."""
    for operation in (o for methods in page["paths"].values() for o in methods.values()):
        summary, *rest = re.split(r"\.\s+", operation.pop("description"), maxsplit=1)
        operation["summary"] = summary.rstrip(".")
        operation.update(("description", text) for text in rest)


def add_security(page: Json, routes: RouteTable, *, wants_key: bool) -> None:
    """Declare that every operation needs a key, except on open routes."""
    page["components"]["securitySchemes"] = {"key": _KEY}
    page["security"] = [{"key": []}] if wants_key else [{"key": []}, {}]
    for entry in routes.entries:
        operation = page["paths"].get(entry.path, {}).get(entry.method.lower())
        if operation is not None and entry.scope is Access.OPEN:
            operation["security"] = []


def gather_definitions(page: Json) -> None:
    """Move every `$defs` of the document into `components`, in place.

    Raises ValueError if two different schemas have the same name.
    """
    schemas = page.setdefault("components", {}).setdefault("schemas", {})
    for node in list(_objects(page.get("paths", {}))):
        for name, definition in node.pop("$defs", {}).items():
            _point_to_components(definition)
            if schemas.setdefault(name, definition) != definition:
                raise ValueError(f"two different schemas are called {name!r}")
    _point_to_components(page["paths"])


def _point_to_components(tree: Any) -> None:
    for node in _objects(tree):
        for key, value in node.items():
            if isinstance(value, str) and value.startswith(_DEFS):
                node[key] = _COMPONENTS + value.removeprefix(_DEFS)


def _objects(tree: Any) -> Iterator[Json]:
    if isinstance(tree, dict):
        yield tree
    inner = tree.values() if isinstance(tree, dict) else tree
    if isinstance(tree, dict | list):
        for part in list(inner):
            yield from _objects(part)
