"""Compute the unpacked size of a Parquet file from the headers of its pages.

A page of a few kilobytes can unpack to gigabytes, and polars does not report the sizes
that the file declares. The headers are Thrift structures in the compact protocol.
"""

import mmap
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import InvalidTable

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY = 1, 2, 3, 7, 8
_INTEGERS, _LISTS, _MAP, _STRUCT = (4, 5, 6), (9, 10), 11, 12
_CELL_BYTES = 8
_ENCRYPTION, _CRYPTO = 8, 8  # fields of the footer, and of a chunk of a column
_PAGE_HEADER = 8
"""Bytes of the shortest header of a page."""
_MOST_STRUCTURES = 2_000_000
Fields = dict[int, Any]


def unpacked_bytes(source: Path) -> int:
    """Return how many bytes the pages of a Parquet file need in memory.

    A value counts as 8 bytes at least, because an encoding can repeat one value without
    end. Raises InvalidTable if the file is damaged, or encrypted.
    """
    try:
        with source.open("rb") as file, _mapped(file) as data:
            return _total(map(_page_bytes, _pages(data)), len(data) // _PAGE_HEADER)
    except (IndexError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise InvalidTable(
            "The Parquet file is damaged or incomplete; send the complete file."
        ) from error


def _total(sizes: Iterator[int], most: int) -> int:
    """Return the sum of sizes. Raise ValueError if there are more than `most`."""
    total = sum(islice(sizes, most))
    if next(sizes, None) is not None:
        raise ValueError("pages that are listed repeatedly")
    return total


def _mapped(file: Any) -> mmap.mmap:
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _pages(data: mmap.mmap) -> Iterator[Fields]:
    """Yield the header of every page."""
    footer = _footer(data)
    if _ENCRYPTION in footer:
        raise _encrypted()
    for group in footer[4]:
        for chunk in group[1]:
            if _CRYPTO in chunk:
                raise _encrypted()
            meta = chunk[3]
            at = min(offset for offset in (meta[9], meta.get(11)) if offset)
            end = at + meta[7]
            while at < end:
                reader = _Thrift(data, at)
                page = reader.struct()
                yield page
                at = reader.at + max(0, page[3])


def _page_bytes(page: Fields) -> int:
    details: Fields = page.get(5) or page.get(8) or page.get(7) or {1: 0}
    return int(max(0, page[2], details[1] * _CELL_BYTES))


def _encrypted() -> InvalidTable:
    return InvalidTable(
        "The Parquet file has encrypted columns, which cannot be read here; send it "
        "without encryption."
    )


def _too_many_parts() -> InvalidTable:
    return InvalidTable(
        "The Parquet file has too many groups of rows for its columns; write larger "
        "groups, or send the table as CSV."
    )


def _footer(data: mmap.mmap) -> Fields:
    size = int.from_bytes(data[-8:-4], "little")
    if data[-4:] != b"PAR1" or size + 12 > len(data):
        raise ValueError("no footer")
    return _Thrift(data, len(data) - 8 - size).struct()


class _Thrift:
    """A reader of Thrift's compact protocol; a structure becomes a dict by field id."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self._data = data
        self._num_structures = 0
        self.at = at

    def struct(self) -> Fields:
        """Read the structure that begins here."""
        self._num_structures += 1
        if self._num_structures > _MOST_STRUCTURES:
            raise _too_many_parts()
        fields: Fields = {}
        number = 0
        while head := self._byte():
            step = head >> 4
            number = number + step if step else self._integer()
            fields[number] = self._value(head & 15)
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in _INTEGERS:
            return self._integer()
        if kind == _BINARY:
            return self._skip(self._varint())
        if kind in _LISTS:
            return self._list()
        if kind == _STRUCT:
            return self.struct()
        if kind == _MAP:
            return self._map()
        return self._skip({_BYTE: 1, _DOUBLE: 8}[kind])

    def _list(self) -> list[Any]:
        head = self._byte()
        size = head >> 4
        size = self._varint() if size == 15 else size
        kind = head & 15
        if kind == _STRUCT:
            return [self.struct() for _ in range(size)]
        for _ in range(size):  # no other list is needed
            self._byte() if kind in (_TRUE, _FALSE) else self._value(kind)
        return []

    def _map(self) -> None:
        size = self._varint()
        kinds = self._byte() if size else 0
        for _ in range(size):
            self._value(kinds >> 4)
            self._value(kinds & 15)

    def _skip(self, size: int) -> None:
        self.at += size
        if self.at > len(self._data):
            raise IndexError("beyond the end")

    def _byte(self) -> int:
        value = self._data[self.at]
        self.at += 1
        return value

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
