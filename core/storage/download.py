"""Receive the bytes of an object, and continue after an interruption."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import StorageUnavailable
from core.lazy import LazyModule
from core.settings import MIB
from core.storage.bucket import Bucket, Content
from core.storage.port import no_such_file

if TYPE_CHECKING:
    import obstore
    from obstore import GetResult
else:
    obstore = LazyModule("obstore")

CHUNK = MIB
_LONGEST_PAUSE = 2.0


class Download:
    """The bytes of an object from a position, in chunks.

    If the body breaks off, the download continues with a range request, or from the
    beginning if the store ignores ranges. Raises FileNotFoundError if the object is
    absent, or was replaced after the first chunk, and StorageUnavailable if nothing
    arrives for the bucket's `seconds`.
    """

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        result = bucket.get(key)
        self.content = Content.of(result.meta)
        self.position = 0
        self._chunks: Iterator[bytes] | None = _chunks_of(result, 0)

    def move(self, position: int) -> None:
        """Continue at another position."""
        if position != self.position:
            self.position = position
            self._chunks = None

    def chunk(self) -> bytes:
        """Return the next bytes; none at the end."""
        deadline, pause = 0.0, 0.1
        while self.position < self.content.size:
            chunk, error = self._received()
            if chunk:
                self.position += len(chunk)
                return chunk
            self._chunks = None
            now = time.monotonic()
            deadline = deadline or now + self._bucket.seconds
            if now >= deadline:
                raise StorageUnavailable("breaks off its answers") from error
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)
        return b""

    def _received(self) -> tuple[bytes, Exception | None]:
        """Return the next bytes, or none and the error of an interruption."""
        try:
            if self._chunks is None:
                self._chunks = self._rest()
            return next(self._chunks, b""), None
        except (obstore.exceptions.BaseError, StorageUnavailable) as error:
            return b"", error

    def _rest(self) -> Iterator[bytes]:
        """Ask for the bytes from the position on."""
        result, skipped = self._get_rest()
        if Content.of(result.meta) != self.content:
            raise no_such_file(self._key)
        return _chunks_of(result, skipped)

    def _get_rest(self) -> tuple[GetResult, int]:
        """Return an answer, and how many of its bytes come before the position."""
        if self.position:
            with contextlib.suppress(StorageUnavailable):  # the store may ignore ranges
                rest: Any = {"offset": self.position}
                return self._bucket.get(self._key, range=rest), 0
        return self._bucket.get(self._key), self.position


def _chunks_of(result: GetResult, skipped: int) -> Iterator[bytes]:
    """Yield the chunks of a body without its first `skipped` bytes."""
    for chunk in result.stream(CHUNK):
        if skipped >= len(chunk):
            skipped -= len(chunk)
            continue
        yield bytes(chunk)[skipped:]
        skipped = 0


def save(download: Download, path: Path) -> None:
    """Write all bytes of a download to a file, which is replaced."""
    download.move(0)
    with path.open("wb") as file:
        while chunk := download.chunk():
            file.write(chunk)


class ObjectStream(io.RawIOBase):
    """A download as a seekable binary stream."""

    def __init__(self, download: Download) -> None:
        self._download = download
        self._position = 0
        self._left = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}
        start = starts.get(whence, self._download.content.size)
        position = max(0, start + offset)
        if position != self._position:
            self._position, self._left = position, b""
        return position

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._download.move(self._position)
            self._left = self._download.chunk()
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        self._position += count
        return count

    def close(self) -> None:
        self._download.move(self._download.content.size)  # ends the connection
        super().close()
