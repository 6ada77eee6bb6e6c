"""Receive a file: stream it to disk and unpack it, without holding it in memory."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread
from starlette.datastructures import UploadFile

from core.errors import InvalidTable, TooLarge
from service.unpacking import Unpacker, unpacker_for

_CHUNK = 1024 * 1024
_SLICE = 8 * 1024
_MAX_RATIO = 100
_RATIO_FROM = 10 * _CHUNK


async def receive(chunks: AsyncIterator[bytes], target: Path, limit: int) -> str:
    """Write a file to `target`, unpacked if it is packed, and return its digest.

    Raises TooLarge beyond `limit` bytes, and InvalidTable for a damaged gzip or zstd.
    """
    buffer = bytearray()
    with target.open("wb") as file:
        sink = _Sink(file, limit)
        async for chunk in chunks:
            buffer += chunk
            if len(buffer) >= _CHUNK:
                await to_thread.run_sync(sink.write, bytes(buffer))
                buffer.clear()
        await to_thread.run_sync(sink.write, bytes(buffer))
        return sink.finish()


async def chunks_of(file: UploadFile) -> AsyncIterator[bytes]:
    """Yield an uploaded part in chunks."""
    while chunk := await file.read(_CHUNK):
        yield chunk


class _Sink:
    """Write bytes to a file; unpack them if the first bytes are those of gzip or zstd."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._came = self._written = 0
        self._unpacker: Unpacker | None = None
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        if self._came == 0:
            self._unpacker = unpacker_for(data)
        self._came += len(data)
        if self._unpacker is None:
            self._write_plain(data)
            return
        # each part of a packed file copies the data after it, so slices limit the copying
        for start in range(0, len(data), _SLICE):
            self._unpack(self._unpacker, data[start : start + _SLICE])

    def finish(self) -> str:
        unpacker = self._unpacker
        if unpacker is not None and not unpacker.is_complete:
            raise InvalidTable(
                f"The {unpacker.name} file ends too early; send the complete file."
            )
        return f"sha256:{self._hash.hexdigest()}"

    def _write_plain(self, data: bytes) -> None:
        self._written += len(data)
        if self._written > self._limit:
            raise TooLarge(f"The file is larger than {self._limit:,} bytes.")
        self._hash.update(data)
        self._file.write(data)

    def _unpack(self, unpacker: Unpacker, data: bytes) -> None:
        try:
            for piece in unpacker.feed(data):
                if self._written > max(_RATIO_FROM, _MAX_RATIO * self._came):
                    raise InvalidTable(
                        f"The {unpacker.name} file unpacks to more than {_MAX_RATIO} "
                        f"times its size; send the file without {unpacker.name}."
                    )
                self._write_plain(piece)
        except ValueError as error:
            raise InvalidTable(
                f"The {unpacker.name} file is damaged: {error}."
            ) from error
