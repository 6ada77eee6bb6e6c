"""Read request bodies, and write JSON, in ways that FastAPI does not offer."""

import json
import re
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import orjson
from backports import zstd
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.errors import TooLarge
from fitserve.problems import without_secrets
from service.problems import BadEncoding, BadJson, InvalidBody

Schema = TypeVar("Schema", bound=BaseModel)
_MOST_RATIO = 100
"""Most unpacked bytes per packed byte; `_RATIO_FROM` bytes are always allowed."""
_RATIO_FROM = 1024 * 1024
_MOST_MEMBERS = 100
"""Most members of a gzip file, which are separately packed parts."""
_JSON_TYPE = b"content-type", b"application/json"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""An escaped U+0000; after another backslash, `\\u0000` is six characters of a text."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


async def read_json(request: Request, most_bytes: int | None = None) -> object:
    """Return the body as JSON; ignore Content-Type, which `curl -d` sets to a form.

    `most_bytes` limits the JSON on routes that also accept uploads. Raises TooLarge, and
    BadJson, also for NaN, Infinity and nesting deeper than 1,000.
    """
    if most_bytes is None:
        return parse_spec(await request.body())
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise TooLarge(f"The JSON is larger than {most_bytes:,} bytes.")
    return parse_spec(bytes(body))


async def read_optional_json(request: Request) -> object:
    """Return the body as `read_json` does, or an empty object if there is no body."""
    return await read_json(request) if await request.body() else {}


def parse_spec(body: bytes) -> object:
    """Parse JSON as `parse_json` does, and refuse duplicate keys."""
    value = parse_json(body)
    try:
        _KEYS_ONCE.decode(body.decode())
    except RecursionError as error:
        raise _bad_json(error) from error
    return value


def _once(pairs: list[tuple[str, object]]) -> None:
    """Raise BadJson for a duplicate key: parsers differ on which value counts."""
    if len(pairs) == len(dict(pairs)):
        return
    twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
    raise BadJson(
        f"The key {without_secrets(twice)[:100]!r} occurs twice in one object; keep one "
        "of them."
    )


# numbers stay text, because the conversion of a long number is slow
_KEYS_ONCE = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str)


class Body(NamedTuple):
    """A body as received, and the headers that a predict route reads.

    `encoding` is `Content-Encoding`, `media_type` is `Content-Type`, `prefer` joins all
    `Prefer` headers.
    """

    raw: bytes
    encoding: bytes = b""
    most_bytes: int = 0
    prefer: bytes = b""
    media_type: bytes = b""

    @property
    def num_bytes(self) -> int:
        """Return the size of the body; for a packed body, the largest allowed size."""
        return self.most_bytes if self.encoding else len(self.raw)

    def content(self) -> bytes:
        """Return the unpacked bytes. Raises BadEncoding; TooLarge beyond `most_bytes`."""
        if not self.encoding:
            return self.raw
        if self.encoding not in (b"gzip", b"deflate", b"zstd"):
            raise BadEncoding(
                f"Content-Encoding is {self.encoding.decode('latin-1')[:40]!r}; expected "
                "gzip, deflate, zstd or none."
            )
        most = min(self.most_bytes, max(_RATIO_FROM, _MOST_RATIO * len(self.raw)))
        try:
            if self.encoding == b"zstd":
                return unpacked_zstd(self.raw, most)
            return unpacked(self.raw, most)
        except (zlib.error, zstd.ZstdError) as error:
            raise BadEncoding(f"The packed body is damaged: {error}.") from error


def unpacked(raw: bytes, most_bytes: int) -> bytes:
    """Return all members of a gzip or zlib stream.

    Raises TooLarge, BadEncoding, zlib.error.
    """
    wbits = 47  # gzip's header or zlib's
    return _unpacked(raw, most_bytes, lambda: zlib.decompressobj(wbits), "members")


def unpacked_zstd(raw: bytes, most_bytes: int) -> bytes:
    """Return all frames of a zstd file. Raises TooLarge, BadEncoding, ZstdError."""
    return _unpacked(raw, most_bytes, zstd.ZstdDecompressor, "frames")


def _unpacked(
    raw: bytes, most_bytes: int, make: Callable[[], Any], members: str
) -> bytes:
    """Return all members of a stream; `make` returns a decompressor for one of them."""
    parts: list[bytes] = []
    left = most_bytes
    while raw:
        if len(parts) == _MOST_MEMBERS:  # each copies all bytes after it
            raise BadEncoding(
                f"The packed body has more than {_MOST_MEMBERS} {members}; expected one."
            )
        unpacker = make()
        parts.append(unpacker.decompress(raw, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise TooLarge(f"The body unpacks to more than {most_bytes:,} bytes.")
        if not unpacker.eof:
            raise BadEncoding("The packed body ends too early; send the complete body.")
        raw = unpacker.unused_data
    return b"".join(parts)


async def read_body(request: Request, most_bytes: int) -> Body:
    """Return the whole body, faster than `request.body()` does."""
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
    """Return the bytes as JSON. Raises BadJson."""
    try:
        return _parsed(body)
    except BadJson:
        if _has_constant(body):
            _refuse_constant(body)
        raise


def _parsed(body: bytes) -> object:
    _refuse_nul(body)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _bad_json(error) from error


def _has_constant(body: bytes) -> bool:
    return b"NaN" in body or b"Infinity" in body


def _refuse_constant(body: bytes) -> None:
    """Raise BadJson for the first NaN or Infinity outside of texts."""

    def refuse(word: str) -> None:
        raise BadJson(f"The body is not JSON: {word} is not JSON; send null.")

    with suppress(ValueError, RecursionError):
        json.loads(body, parse_constant=refuse, parse_int=str, parse_float=str)


def parse_loose_json(body: bytes) -> object:
    """Parse the JSON of a predict request. Raises BadJson.

    It may contain NaN, Infinity and -Infinity, which Python clients send.
    """
    try:
        return _parsed(body)
    except BadJson:
        if not _has_constant(body):
            raise
    _refuse_nul(body)
    try:
        value: object = json.loads(body)
        if _SURROGATE.search(body):
            json.dumps(
                value, ensure_ascii=False
            ).encode()  # fails for half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise _bad_json(error) from error
    return value


def _refuse_nul(body: bytes) -> None:
    if b"\\u0000" in body and _NUL.search(body):
        raise BadJson("The body contains the character U+0000; remove it.")


def _bad_json(error: Exception) -> BadJson:
    reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
    return BadJson(f"The body is not JSON: {reason}. Expected a JSON object.")


def json_response(content: object, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response with status 200; NumPy arrays become lists."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    if headers is None:
        return _JsonResponse(body)
    return Response(body, headers=headers, media_type="application/json")


class _JsonResponse(Response):
    """A response of JSON bytes, created in a fifth of the time of Starlette's."""

    def __init__(self, body: bytes) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        length = b"%d" % len(body)
        self.raw_headers = [(b"content-length", length), _JSON_TYPE]


def validate(schema: type[Schema], value: object) -> Schema:
    """Return the value as `schema`. Raises InvalidBody with the place of every error."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise InvalidBody.of(error, value) from None


def body_schema(schema: type[BaseModel], *more: tuple[str, object]) -> dict[str, object]:
    """Return `openapi_extra` for a route that reads its JSON body itself."""
    content: dict[str, object] = {
        "application/json": {"schema": schema.model_json_schema()}
    }
    content.update({kind: {"schema": form} for kind, form in more})
    return {"requestBody": {"required": True, "content": content}}
