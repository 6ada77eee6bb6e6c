"""Reading bodies that FastAPI's own parsing does not fit."""

from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from service.problems import BadJson, InvalidBody

Schema = TypeVar("Schema", bound=BaseModel)


async def read_json(request: Request) -> object:
    """The body as JSON, whatever Content-Type says (curl -d says form).

    Raises BadJson; NaN, Infinity and nesting beyond 1,000 are not JSON.
    """
    return parse_json(await request.body())


def parse_json(body: bytes) -> object:
    """The bytes as JSON; raises BadJson."""
    if b"\\u0000" in body:
        raise BadJson("The body holds the character U+0000, which is no text.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadJson(
            f"The body is not JSON: {error}. Expected a JSON object."
        ) from error


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
