"""Reading and writing bodies that FastAPI's own way does not fit."""

import json
import re
import zlib
from collections import Counter
from typing import NamedTuple, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.errors import TooLarge
from service.problems import BadEncoding, BadJson, InvalidBody

Schema = TypeVar("Schema", bound=BaseModel)
_MOST_RATIO = 100
"""Of unpacked bytes to packed ones, above a size that does no harm."""
_RATIO_FROM = 1024 * 1024
_MOST_MEMBERS = 100
"""Of a gzip: files that were packed one by one and put together."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


async def read_json(request: Request, most_bytes: int | None = None) -> object:
    """The body as JSON, whatever Content-Type says (curl -d says form).

    `most_bytes` is for a route whose uploads may be larger than its JSON. Raises BadJson
    and TooLarge; NaN, Infinity and nesting beyond 1,000 are not JSON.
    """
    if most_bytes is None:
        return parse_spec(await request.body())
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise TooLarge(f"The JSON is larger than {most_bytes:,} bytes.")
    return parse_spec(bytes(body))


def parse_spec(body: bytes) -> object:
    """The same as parse_json, for what is read by people too: no key stands twice."""
    value = parse_json(body)
    try:
        _KEYS_ONCE.decode(body.decode())
    except RecursionError as error:
        raise _bad_json(error) from error
    return value


def _once(pairs: list[tuple[str, object]]) -> None:
    """Refuse an object in which a key stands twice: readers differ on which counts."""
    if len(pairs) == len(dict(pairs)):
        return
    twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    raise BadJson(
        f"The key {twice[:100]!r} stands twice in one object; keep one of them."
    )


# numbers are left as text: a long one would take its time
_KEYS_ONCE = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str)


class Body(NamedTuple):
    """A body as it came, and what its headers say of it and of the answer.

    `encoding` says how it is packed (`Content-Encoding`); `prefer` is every header
    `Prefer`, joined; `media_type` is the header `Content-Type`.
    """

    raw: bytes
    encoding: bytes = b""
    most_bytes: int = 0
    prefer: bytes = b""
    media_type: bytes = b""

    @property
    def num_bytes(self) -> int:
        """Its size for the choice of a thread; a packed one counts as the largest."""
        return self.most_bytes if self.encoding else len(self.raw)

    def content(self) -> bytes:
        """The bytes unpacked; raises BadEncoding, and TooLarge beyond `most_bytes`."""
        if not self.encoding:
            return self.raw
        if self.encoding not in (b"gzip", b"deflate"):
            raise BadEncoding(
                f"Content-Encoding is {self.encoding.decode('latin-1')[:40]!r}; expected "
                "gzip, deflate or none."
            )
        most = min(self.most_bytes, max(_RATIO_FROM, _MOST_RATIO * len(self.raw)))
        try:
            return unpacked(self.raw, most)
        except zlib.error as error:
            raise BadEncoding(f"The packed body is damaged: {error}.") from error


def unpacked(raw: bytes, most_bytes: int) -> bytes:
    """All members of a gzip or zlib stream; TooLarge, BadEncoding, zlib.error."""
    parts: list[bytes] = []
    left = most_bytes
    while raw:
        if len(parts) == _MOST_MEMBERS:  # each costs a copy of all behind it
            raise BadEncoding(
                f"The packed body has more than {_MOST_MEMBERS} members; pack it as one."
            )
        unpacker = zlib.decompressobj(wbits=47)  # gzip's header or zlib's
        parts.append(unpacker.decompress(raw, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise TooLarge(f"The body unpacks to more than {most_bytes:,} bytes.")
        if not unpacker.eof:
            raise BadEncoding("The packed body ends too early; send it again whole.")
        raw = unpacker.unused_data
    return b"".join(parts)


async def read_body(request: Request, most_bytes: int) -> Body:
    """The whole body, without the layers that `request.body()` puts between."""
    raw = await _read(request)
    encoding = prefer = media_type = b""
    for name, value in request.scope["headers"]:
        if name == b"content-encoding":
            encoding = encoding or _encoding(value)
        elif name == b"prefer":
            prefer = prefer + b"," + value if prefer else value
        elif name == b"content-type":
            media_type = value
    return Body(raw, encoding, most_bytes, prefer, media_type)


def _encoding(header: bytes) -> bytes:
    name = header.strip().lower()
    return b"" if name == b"identity" else name


async def _read(request: Request) -> bytes:
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
