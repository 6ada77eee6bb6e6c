"""Unpack gzip and zstd in pieces, so that a small file cannot fill the memory."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from backports import zstd

from fitserve.file_formats import GZIP, ZSTD

PIECE = 1024 * 1024


class Unpacker(ABC):
    """A reader of packed bytes; several packed parts in a row are one file."""

    name: str

    @property
    @abstractmethod
    def is_complete(self) -> bool:
        """Return whether the last part has ended."""

    @abstractmethod
    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield unpacked pieces of at most `PIECE` bytes. Raise ValueError if damaged."""


def unpacker_for(head: bytes) -> Unpacker | None:
    """Return the reader of a file with these first bytes; None if it is not packed."""
    if head.startswith(GZIP):
        return _Gzip()
    return _Zstd() if head.startswith(ZSTD) else None


class _Gzip(Unpacker):
    name = "gzip"

    def __init__(self) -> None:
        self._part: Any = zlib.decompressobj(wbits=31)

    @property
    def is_complete(self) -> bool:
        return bool(self._part.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._part.eof:  # another part follows
                self._part = zlib.decompressobj(wbits=31)
            try:
                unpacked = self._part.decompress(data, PIECE)
            except zlib.error as error:
                raise ValueError(str(error)) from error
            yield unpacked
            data = self._part.unconsumed_tail or self._part.unused_data


class _Zstd(Unpacker):
    name = "zstd"

    def __init__(self) -> None:
        self._part = zstd.ZstdDecompressor()

    @property
    def is_complete(self) -> bool:
        return self._part.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or not (self._part.eof or self._part.needs_input):
            if self._part.eof:  # another part follows
                self._part = zstd.ZstdDecompressor()
            try:
                unpacked = self._part.decompress(data, PIECE)
            except zstd.ZstdError as error:
                raise ValueError(str(error)) from error
            yield unpacked
            data = self._part.unused_data if self._part.eof else b""
