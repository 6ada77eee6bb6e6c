"""The routes of the application, read from its route table."""

import re

from fastapi import FastAPI

_PARAMETER = re.compile(r"\{([a-z_]+)\}")


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and path template of each route except HEAD and mounted folders."""
    found = {
        (entry.method, entry.path)
        for entry in app.state.routes.entries
        if entry.endpoint is not None and entry.method != "HEAD"
    }
    documented = {
        (method.upper(), path)
        for path, item in app.openapi()["paths"].items()
        for method in item
    }
    assert documented <= found, "the route table lacks some documented routes"
    return sorted(found)


def fill(path: str, values: dict[str, str]) -> str:
    """Return the template with its parameters replaced by values; all must be given."""
    return _PARAMETER.sub(lambda found: values[found[1]], path)


def names(path: str) -> set[str]:
    """Return the parameters of a template."""
    return {found[1] for found in _PARAMETER.finditer(path)}
