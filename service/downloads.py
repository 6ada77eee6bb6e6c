"""Sending stored files."""

from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from fastapi.responses import StreamingResponse

_CHUNK = 1024 * 1024


def file_response(
    file: BinaryIO, name: str, num_bytes: int, media_type: str
) -> StreamingResponse:
    """The file as a download called `name`; it is closed when it was sent."""
    return StreamingResponse(
        _chunks(file),
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Length": str(num_bytes),
        },
    )


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
