"""Compute the unpacked size of an Arrow IPC file or stream from its messages.

A compressed buffer of a few kilobytes can unpack to gigabytes. The messages are
FlatBuffers; a compressed buffer begins with its unpacked size.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from core.errors import InvalidTable
from fitserve.file_formats import FileFormat

_CELL_BYTES = 8
_RECORDS, _DICTIONARY = 3, 2
_BLOCK, _PAIR = 24, 16  # sizes of the structures Block, and Buffer or FieldNode
_CONTINUED = b"\xff\xff\xff\xff"


def unpacked_bytes(source: Path, found: FileFormat) -> int:
    """Return how many bytes the record batches of a file or a stream need in memory.

    A value counts as 8 bytes at least. Raises InvalidTable if the file is damaged.
    """
    try:
        with (
            source.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            is_stream = found == FileFormat.ARROW_STREAM
            places = _in_stream(data) if is_stream else _in_footer(data)
            return sum(_message_bytes(data, at) for at in places)
    except (struct.error, IndexError, ValueError) as error:
        raise InvalidTable(
            "The Arrow file is damaged or incomplete; send the complete file."
        ) from error


def _in_footer(data: mmap.mmap) -> Iterator[int]:
    """Yield where each message begins that the footer lists."""
    size = _int(data, len(data) - 10)
    if data[-6:] != b"ARROW1" or not 0 < size < len(data) - 10:
        raise ValueError("no footer")
    footer = _Table.root(data, len(data) - 10 - size)
    for field in (2, 3):  # dictionaries, record batches
        start, count = footer.vector(field)
        for i in range(count):
            yield _long(data, start + i * _BLOCK)


def _in_stream(data: mmap.mmap) -> Iterator[int]:
    at = 0
    while data[at : at + 4] == _CONTINUED and (size := _int(data, at + 4)) > 0:
        yield at
        message = _Table.root(data, at + 8)
        at += 8 + size + message.long(3)


def _message_bytes(data: mmap.mmap, at: int) -> int:
    start = at + 8 if data[at : at + 4] == _CONTINUED else at + 4
    body = start + _int(data, start - 4)
    message = _Table.root(data, start)
    kind = message.byte(1)
    if kind not in (_RECORDS, _DICTIONARY):
        return 0
    batch = message.table(2)
    return _batch_bytes(batch if kind == _RECORDS else batch.table(1), body)


def _batch_bytes(batch: "_Table", body: int) -> int:
    start, count = batch.vector(2)
    is_packed = batch.place(3) is not None
    total = 0
    for i in range(count):
        offset, length = struct.unpack_from("<qq", batch.data, start + i * _PAIR)
        inside = _long(batch.data, body + offset) if is_packed and length else 0
        total += max(length, inside)
    nodes, count = batch.vector(1)
    rows = sum(_long(batch.data, nodes + i * _PAIR) for i in range(count))
    return max(total, rows * _CELL_BYTES)


class _Table:
    """A table of a FlatBuffer, whose fields are found by number."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self.data = data
        self._at = at
        self._offsets = at - _int(data, at)
        self._size = _short(data, self._offsets)

    @classmethod
    def root(cls, data: mmap.mmap, at: int) -> "_Table":
        """Return the root table of the FlatBuffer that begins at `at`."""
        return cls(data, at + _int(data, at))

    def place(self, field: int) -> int | None:
        """Return where a field is; None if it is absent."""
        slot = 4 + 2 * field
        offset = _short(self.data, self._offsets + slot) if slot < self._size else 0
        return self._at + offset if offset else None

    def byte(self, field: int) -> int:
        """Return a field of one byte; 0 if it is absent."""
        place = self.place(field)
        return 0 if place is None else self.data[place]

    def long(self, field: int) -> int:
        """Return a field of eight bytes; 0 if it is absent."""
        place = self.place(field)
        return 0 if place is None else _long(self.data, place)

    def table(self, field: int) -> "_Table":
        """Return a field that is a table."""
        place = self.place(field)
        if place is None:
            raise ValueError("a message without content")
        return _Table(self.data, place + _int(self.data, place))

    def vector(self, field: int) -> tuple[int, int]:
        """Return where the items of a vector begin, and how many it has."""
        place = self.place(field)
        if place is None:
            return 0, 0
        start = place + _int(self.data, place)
        return start + 4, max(0, _int(self.data, start))


def _short(data: mmap.mmap, at: int) -> int:
    return int(struct.unpack_from("<H", data, at)[0])


def _int(data: mmap.mmap, at: int) -> int:
    return int(struct.unpack_from("<i", data, at)[0])


def _long(data: mmap.mmap, at: int) -> int:
    return int(struct.unpack_from("<q", data, at)[0])
