"""The OpenAPI page, with what FastAPI cannot know: keys, and where definitions belong.

Routes that read their bodies themselves give FastAPI a schema as pydantic writes it:
whole, with `$defs` beside it. A reference within a page counts from the page's root, so
these are moved to `components`, where generated clients also find their names.
"""

from collections.abc import Iterator
from functools import cache
from threading import Lock
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.auth.scopes import OPEN

Json = dict[str, Any]

_DEFS = "#/$defs/"
_COMPONENTS = "#/components/schemas/"

_KEY = {"type": "http", "scheme": "bearer", "description": "The service's API key."}


def whole_page(app: FastAPI, *, wants_key: bool) -> None:
    """Have the application give its page so."""
    make = app.openapi
    done: list[Json] = []
    making = Lock()

    def openapi() -> Json:
        with making:
            page = make()
            if not any(page is one for one in done):
                gather_definitions(page)
                tell_of_keys(page, wants_key=wants_key)
                done[:] = [page]
            return page

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way
    _serve(app)


def _serve(app: FastAPI) -> None:
    """Answer with the page from a thread, in place of FastAPI's route on the event loop.

    Making the page takes most of a second, and the dashboard asks for it first of all.
    """

    @cache
    def body() -> bytes:
        return bytes(JSONResponse(app.openapi()).body)

    def document(_: Request) -> Response:
        return Response(body(), media_type="application/json")

    app.add_route("/openapi.json", document, include_in_schema=False)


def tell_of_keys(page: Json, *, wants_key: bool) -> None:
    """Every request bears a key, or may; probes never need to."""
    page["components"]["securitySchemes"] = {"key": _KEY}
    page["security"] = [{"key": []}] if wants_key else [{"key": []}, {}]
    for path in OPEN & page["paths"].keys():
        for operation in page["paths"][path].values():
            operation["security"] = []


def gather_definitions(page: Json) -> None:
    """Move what stands under `$defs` anywhere into `components`, in place.

    Raises ValueError where two schemas of one name differ.
    """
    schemas = page.setdefault("components", {}).setdefault("schemas", {})
    for node in list(_objects(page.get("paths", {}))):
        for name, definition in node.pop("$defs", {}).items():
            _point_to_components(definition)
            if schemas.setdefault(name, definition) != definition:
                raise ValueError(f"two schemas of the page are called {name!r}")
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
