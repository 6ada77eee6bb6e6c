"""Read whether a request is strict: refused if there are warnings.

Every predict route takes `?strict=true` and `Prefer: handling=strict` (RFC 7240); if both
are given, the URL decides. Protocols with their own parameters take `strict` there too.
"""

from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from core.errors import InvalidInstances, InvalidQuery
from service.bodies import Body

_WORDS = {"true": True, "1": True, "yes": True, "on": True}
_WORDS |= {"false": False, "0": False, "no": False, "off": False}
_WANTED = (
    "expected true (refuse the request if there are warnings about its rows) or false "
    "(return the warnings with the predictions)"
)
_PREFERENCE = "handling"

PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "strict",
            "in": "query",
            "required": False,
            "description": "Whether to refuse the request if rows have warnings.",
            "schema": {"type": "boolean", "default": False},
        },
        {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "description": "`handling=strict` means `strict=true` (RFC 7240).",
            "schema": {"type": "string"},
        },
    ]
}
"""For `openapi_extra` of a predict route."""


def is_strict(request: Request, body: Body) -> bool:
    """Return whether the URL or the header `Prefer` makes the request strict.

    Raises InvalidQuery if the URL has neither true nor false.
    """
    query = request.scope["query_string"]
    asked = _in_query(query) if query else None
    return _is_preferred(body.prefer) if asked is None and body.prefer else bool(asked)


def strict_parameter(given: object) -> bool:
    """Return the value of the parameter `strict` in a body; False if it is None.

    Raises InvalidInstances if it is neither true nor false.
    """
    asked = False if given is None else _flag(given)
    if asked is None:
        raise InvalidInstances(f"The parameter `strict` is {_shown(given)}; {_WANTED}.")
    return asked


def _in_query(query: bytes) -> bool | None:
    """Return the value of `strict` in the URL; None if it is absent."""
    pairs = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    given = pairs.get("strict")
    if given is None:
        return None
    asked = {_flag(word) for word in given}
    if asked in ({True}, {False}):
        return True in asked
    raise InvalidQuery(f"`strict` is {_shown(', '.join(given))}; {_WANTED}.")


def _is_preferred(header: bytes) -> bool:
    """Return whether the first `handling` is strict; other preferences are ignored."""
    for preference in header.decode("latin-1").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == _PREFERENCE:
            return value.strip().strip('"').lower() == "strict"
    return False


def _flag(given: object) -> bool | None:
    if isinstance(given, bool):
        return given
    return _WORDS.get(given.strip().lower()) if isinstance(given, str) else None


def _shown(given: object) -> str:
    return repr(str(given)[:40])
