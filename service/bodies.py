"""Reading and writing bodies that FastAPI's own way does not fit."""

import json
import re
from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from service.problems import BadJson, InvalidBody

Schema = TypeVar("Schema", bound=BaseModel)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


async def read_json(request: Request) -> object:
    """The body as JSON, whatever Content-Type says (curl -d says form).

    Raises BadJson; NaN, Infinity and nesting beyond 1,000 are not JSON.
    """
    return parse_json(await request.body())


async def read_body(request: Request) -> bytes:
    """The whole body, without the layers that `request.body()` puts between."""
    chunks = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse_json(body: bytes) -> object:
    """The bytes as JSON; raises BadJson."""
    _refuse_nul(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _bad_json(error) from error


def parse_loose_json(body: bytes) -> object:
    """The same with the tokens NaN, Infinity and -Infinity, which Python's clients send.

    Raises BadJson.
    """
    try:
        return parse_json(body)
    except BadJson:
        if b"NaN" not in body and b"Infinity" not in body:
            raise
    _refuse_nul(body)
    try:
        value: object = json.loads(body)
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()  # no text, if half a pair
    except (ValueError, RecursionError) as error:
        raise _bad_json(error) from error
    return value


def _refuse_nul(body: bytes) -> None:
    if b"\\u0000" in body:
        raise BadJson("The body holds the character U+0000, which is no text.")


def _bad_json(error: Exception) -> BadJson:
    said = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
    return BadJson(f"The body is not JSON: {said}. Expected a JSON object.")


def json_response(content: object, headers: dict[str, str] | None = None) -> Response:
    """200 with JSON; NumPy's arrays are lists in it."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, headers=headers, media_type="application/json")


def validate(schema: type[Schema], value: object) -> Schema:
    """The value as `schema`; raises InvalidBody with a pointer for every fault."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise InvalidBody.of(error, value) from None


def body_schema(schema: type[BaseModel], *more: tuple[str, object]) -> dict[str, object]:
    """`openapi_extra` of a route that reads its JSON body itself."""
    content: dict[str, object] = {
        "application/json": {"schema": schema.model_json_schema()}
    }
    content.update({kind: {"schema": form} for kind, form in more})
    return {"requestBody": {"required": True, "content": content}}
