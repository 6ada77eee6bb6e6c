"""Error responses as RFC 9457 problems, and validation errors as sentences."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails

from fitserve.expected_words import expected
from fitserve.names import WEBHOOK_PREFIX, nearest
from fitserve.unneeded_layers import UNNEEDED_LAYERS

MEDIA_TYPE = "application/problem+json"
_SECRET = re.compile(rf"{WEBHOOK_PREFIX}[^\s'\"`]+")
PLACED = "placed"
"""The type of a validation error whose message and path need no changes."""


class FieldError(BaseModel):
    """One error in a body: the place, the received and the expected value, and a hint."""

    pointer: str = Field(description="JSON Pointer into the body; begins with `#`.")
    detail: str
    hint: str | None = None
    row: int | None = Field(default=None, description="0-based index of the row.")
    column: str | None = None


class Problem(BaseModel):
    """The body of every error on a native route (`application/problem+json`)."""

    type: str = Field(description="`/problems/<slug>`, a heading in docs/problems.md.")
    title: str
    status: int
    detail: str
    instance: str | None = None
    request_id: str | None = None
    errors: list[FieldError] = []


def pointer(*path: object) -> str:
    """Return the JSON Pointer (RFC 6901) of a path, as a readable URI fragment."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "#" + "".join("/" + part for part in escaped)


def path_of(text: str) -> tuple[str, ...]:
    """Return the path of a JSON Pointer that `pointer` made."""
    parts = text.removeprefix("#").split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def sentences(errors: Sequence[FieldError]) -> str:
    """Return the first errors as one line, each with its pointer and hint."""
    return " ".join(
        f"{e.pointer}: {e.detail}{f' ({e.hint})' if e.hint else ''}." for e in errors[:5]
    )


def field_errors(lines: Sequence[ErrorDetails], body: Any = None) -> list[FieldError]:
    """Return Pydantic's errors as sentences with pointers into `body`."""
    # an unknown key first: it is often a misspelt key, which is then missing too
    ordered = sorted(lines[:100], key=lambda line: line["type"] != "unknown_key")
    return [_field_error(line, body) for line in ordered]


def _field_error(line: ErrorDetails, body: Any) -> FieldError:
    hint = _hint(line)
    return FieldError(
        pointer=without_secrets(pointer(*_path_in(body, line))),
        detail=without_secrets(_detail(line)),
        hint=hint and without_secrets(hint),
    )


def _path_in(body: Any, line: ErrorDetails) -> list[int | str]:
    """Return the path of an error without the union tags that Pydantic adds."""
    if line["type"] == PLACED:  # may lead into a string with Keras's JSON
        return list(line["loc"])
    path: list[int | str] = []
    absent = line["loc"][-1:] if line["type"] == "missing" else ()
    for part in line["loc"][: len(line["loc"]) - len(absent)]:
        held = isinstance(body, dict) and part in body
        listed = isinstance(body, list) and isinstance(part, int) and part < len(body)
        if held or listed:
            body = body[part]
            path.append(part)
    return [*path, *absent]


def _detail(line: ErrorDetails) -> str:
    kind, ctx = line["type"], line.get("ctx", {})
    match kind:
        case "missing":
            return "this key is required and is absent"
        case "extra_forbidden":
            return f"`{line['loc'][-1]!s:.80}` is not a key of this object"
        case "union_tag_invalid":
            return f"got type {ctx['tag']!r}; expected one of {ctx['expected_tags']}"
        case "union_tag_not_found":
            return "the key `type` is required in this object and is absent"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"got {_received(line)}; expected a JSON object"
        case "unknown_key" | "json_invalid" | "placed":
            return line["msg"]
    words = expected(line)
    if words.startswith(("got ", repr(line["input"]))):  # it repeats what it received
        return words
    return f"got {_received(line)}; expected {words}"


def _received(line: ErrorDetails) -> str:
    """Return the received value as a short text, but hide the value of a key `secret`."""
    return "a secret" if "secret" in line["loc"] else shown(line["input"])


def _hint(line: ErrorDetails) -> str | None:
    ctx = line.get("ctx", {})
    if "hint" in ctx:
        return str(ctx["hint"]) or None
    listed = ctx.get("expected_tags") or ctx.get("expected")
    given = ctx.get("tag", line["input"])
    if listed and isinstance(given, str):
        if given in UNNEEDED_LAYERS:
            return UNNEEDED_LAYERS[given]
        near = nearest(given, re.findall(r"'([^']+)'", listed))
        return f"did you mean `{near}`?" if near else None  # the detail lists all names
    return None


def without_secrets(text: str) -> str:
    """Return a text in which each webhook secret is replaced by `whsec_…`."""
    return _SECRET.sub(f"{WEBHOOK_PREFIX}…", text)


def shown(value: Any) -> str:
    """Return a received value as a short text, but not a secret."""
    if isinstance(value, str) and WEBHOOK_PREFIX in value:
        return "a secret"
    text = repr(value) if not isinstance(value, dict | list) else _kind(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _kind(value: Any) -> str:
    return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
