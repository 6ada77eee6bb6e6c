"""Every route that the application has, as its route table lists them."""

import re

from fastapi import FastAPI

_PARAMETER = re.compile(r"\{([a-z_]+)\}")


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path template of each, HEAD and mounted folders left out."""
    found = {
        (entry.method, entry.path)
        for entry in app.state.routes.entries
        if entry.endpoint is not None and entry.method != "HEAD"
    }
    told = {
        (method.upper(), path)
        for path, item in app.openapi()["paths"].items()
        for method in item
    }
    assert told <= found, "the table lacks some"
    return sorted(found)


def fill(path: str, values: dict[str, str]) -> str:
    """The template with values in it; an absent one is an error of the test."""
    return _PARAMETER.sub(lambda found: values[found[1]], path)


def names(path: str) -> set[str]:
    """The parameters of a template."""
    return {found[1] for found in _PARAMETER.finditer(path)}
