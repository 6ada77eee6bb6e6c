"""Send stored files as downloads, a chunk at a time."""

import os
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from core.errors import ArtifactDamaged
from core.storage import Storage
from core.storage.recorded import unreadable

_CHUNK = 1024 * 1024


def open_whole(storage: Storage, key: str, num_bytes: int) -> BinaryIO:
    """Open a stored file; raise ArtifactDamaged if it is missing or has another size."""
    try:
        file = storage.open(key)
        found = file.seek(0, os.SEEK_END)
        file.seek(0)
    except OSError as error:
        raise unreadable("The file", error) from error
    if found != num_bytes:
        file.close()
        raise ArtifactDamaged(
            f"The file has {found:,} bytes; {num_bytes:,} were recorded. Restore it, or "
            "train or upload again."
        )
    return file


def file_response(
    file: BinaryIO, name: str, num_bytes: int, media_type: str
) -> StreamingResponse:
    """Return a response that sends the file under the name `name`, then closes it."""
    return _Download(
        file,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Length": str(num_bytes),
        },
    )


class _Download(StreamingResponse):
    """A response that closes its file at the end, even if the client disconnects."""

    def __init__(self, file: BinaryIO, **given: Any) -> None:
        super().__init__(_chunks(file), **given)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
