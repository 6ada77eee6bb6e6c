"""Receiving a CSV: streamed to disk, unpacked on the way, never whole in memory."""

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
    """Write a CSV, gzipped or not, to `target`, at most `limit` bytes of it.

    Returns the digest of what was written. Raises TooLarge, and InvalidTable for a
    damaged or boundless gzip.
    """
    sink = _Sink(limit)
    buffer = bytearray()
    with target.open("wb") as file:
        async for chunk in chunks:
            buffer += chunk
            if len(buffer) >= _CHUNK:
                await to_thread.run_sync(sink.write, file, bytes(buffer))
                buffer.clear()
        await to_thread.run_sync(sink.write, file, bytes(buffer))
        return sink.finish()


async def chunks_of(file: UploadFile) -> AsyncIterator[bytes]:
    """An uploaded part as a stream."""
    while chunk := await file.read(_CHUNK):
        yield chunk


class _Sink:
    """Writes what comes, unpacked if its first bytes are gzip's."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._came = self._written = 0
        self._gzip: Any = None
        self._hash = hashlib.sha256()

    def write(self, file: BinaryIO, data: bytes) -> None:
        if self._came == 0 and data[:2] == _GZIP:
            self._gzip = zlib.decompressobj(wbits=31)
        self._came += len(data)
        # what follows a member of a gzip is copied for each: a file of empty ones is long
        step = len(data) if self._gzip is None else _SLICE
        for start in range(0, len(data), step or 1):
            rest = data[start : start + step]
            while rest:
                rest = self._write_some(file, rest)

    def finish(self) -> str:
        if self._gzip is not None and not self._gzip.eof:
            raise InvalidTable("The gzip file ends too early; send it again whole.")
        return f"sha256:{self._hash.hexdigest()}"

    def _write_some(self, file: BinaryIO, data: bytes) -> bytes:
        rest = b""
        if self._gzip is not None:
            data, rest = self._unpack(data)
        self._written += len(data)
        if self._written > self._limit:
            raise TooLarge(f"The CSV is larger than {self._limit:,} bytes.")
        self._hash.update(data)
        file.write(data)
        return rest

    def _unpack(self, data: bytes) -> tuple[bytes, bytes]:
        if self._gzip.eof:  # another member follows
            self._gzip = zlib.decompressobj(wbits=31)
        try:
            out = self._gzip.decompress(data, _CHUNK)
        except zlib.error as error:
            raise InvalidTable(f"The gzip file is damaged: {error}.") from error
        if self._written > max(_RATIO_FROM, _MAX_RATIO * self._came):
            raise InvalidTable(
                f"The gzip file unpacks to more than {_MAX_RATIO} times its size; "
                "send the CSV as it is."
            )
        return out, self._gzip.unconsumed_tail or self._gzip.unused_data
