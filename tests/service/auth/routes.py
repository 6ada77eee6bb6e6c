"""Every route that the application has, found by walking it."""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

_PARAMETER = re.compile(r"\{([a-z_]+)(:[a-z]+)?\}")


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path template of each, HEAD and OPTIONS left out."""
    found = {
        (method, route.path)
        for route in _walk(app.routes)
        for method in route.methods - {"HEAD", "OPTIONS"}
    }
    told = {
        (method.upper(), path)
        for path, item in app.openapi()["paths"].items()
        for method in item
    }
    plain = {(method, _PARAMETER.sub(r"{\1}", path)) for method, path in found}
    assert told <= plain, "the walk has missed some"
    return sorted(found)


def _walk(routes: Any) -> Iterator[Any]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            if hasattr(route, "methods"):  # a folder of files has none; test_pages.py
                yield route
        else:
            yield from _walk(inner.routes)


def fill(path: str, values: dict[str, str]) -> str:
    """The template with values in it; an absent one is an error of the test."""
    return _PARAMETER.sub(lambda found: values[found[1]], path)


def names(path: str) -> set[str]:
    """The parameters of a template."""
    return {found[1] for found in _PARAMETER.finditer(path)}
