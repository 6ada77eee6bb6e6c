"""Receive a CSV: stream it to disk and unpack it, without holding it in memory."""

import hashlib
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

from anyio import to_thread
from starlette.datastructures import UploadFile

from core.errors import InvalidTable, TooLarge

_CHUNK = 1024 * 1024
_SLICE = 8 * 1024
_GZIP = b"\x1f\x8b"
_MAX_RATIO = 100
_RATIO_FROM = 10 * _CHUNK


async def receive(chunks: AsyncIterator[bytes], target: Path, limit: int) -> str:
    """Write a CSV, gzipped or not, to `target`, and return its digest.

    Raises TooLarge beyond `limit` bytes, and InvalidTable for a damaged gzip.
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
    """Write bytes to a file; unpack them if the first bytes are gzip's."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._came = self._written = 0
        self._gzip: Any = None
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        if self._came == 0 and data[:2] == _GZIP:
            self._gzip = zlib.decompressobj(wbits=31)
        self._came += len(data)
        if self._gzip is None:
            self._write_plain(data)
            return
        # each member of a gzip copies the data after it, so slices limit the copying
        for start in range(0, len(data), _SLICE):
            rest = data[start : start + _SLICE]
            while rest:
                rest = self._unpack(rest)

    def finish(self) -> str:
        if self._gzip is not None and not self._gzip.eof:
            raise InvalidTable("The gzip file ends too early; send the complete file.")
        return f"sha256:{self._hash.hexdigest()}"

    def _write_plain(self, data: bytes) -> None:
        self._written += len(data)
        if self._written > self._limit:
            raise TooLarge(f"The CSV is larger than {self._limit:,} bytes.")
        self._hash.update(data)
        self._file.write(data)

    def _unpack(self, data: bytes) -> bytes:
        """Write the unpacked start of the data, and return the rest."""
        if self._gzip.eof:  # another member follows
            self._gzip = zlib.decompressobj(wbits=31)
        try:
            unpacked = self._gzip.decompress(data, _CHUNK)
        except zlib.error as error:
            raise InvalidTable(f"The gzip file is damaged: {error}.") from error
        if self._written > max(_RATIO_FROM, _MAX_RATIO * self._came):
            raise InvalidTable(
                f"The gzip file unpacks to more than {_MAX_RATIO} times its size; "
                "send the CSV without gzip."
            )
        self._write_plain(unpacked)
        return self._gzip.unconsumed_tail or self._gzip.unused_data  # type: ignore[no-any-return]
