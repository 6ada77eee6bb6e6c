"""Compute the unpacked size of an Arrow IPC file or stream from its messages.

A compressed buffer of a few kilobytes can unpack to gigabytes. The messages are
FlatBuffers; a compressed buffer begins with its unpacked size.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from core.datasets.flat_buffers import FAULTS, Table, int_at, long_at
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
            return sum(_sizes(data, places))
    except FAULTS as error:
        raise InvalidTable(
            "The Arrow file is damaged or incomplete; send the complete file."
        ) from error


def _sizes(data: mmap.mmap, places: Iterator[int]) -> Iterator[int]:
    """Yield the size of each message. Raise ValueError if one is listed repeatedly."""
    left = len(data)
    for at in places:
        size, read = _message_bytes(data, at)
        left -= read
        if left < 0:
            raise ValueError("messages that are listed repeatedly")
        yield size


def _in_footer(data: mmap.mmap) -> Iterator[int]:
    """Yield where each message begins that the footer lists."""
    size = int_at(data, len(data) - 10)
    if data[-6:] != b"ARROW1" or not 0 < size < len(data) - 10:
        raise ValueError("no footer")
    footer = Table.root(data, len(data) - 10 - size)
    for field in (2, 3):  # dictionaries, record batches
        start, count = footer.vector(field)
        for i in range(count):
            yield long_at(data, start + i * _BLOCK)


def _in_stream(data: mmap.mmap) -> Iterator[int]:
    at = 0
    while data[at : at + 4] == _CONTINUED and (size := int_at(data, at + 4)) > 0:
        yield at
        message = Table.root(data, at + 8)
        at += 8 + size + max(0, message.long(3))


def _message_bytes(data: mmap.mmap, at: int) -> tuple[int, int]:
    """Return the unpacked size of a message, and how many bytes describe it."""
    start = at + 8 if data[at : at + 4] == _CONTINUED else at + 4
    body = start + int_at(data, start - 4)
    message = Table.root(data, start)
    kind = message.byte(1)
    if kind not in (_RECORDS, _DICTIONARY):
        return 0, _BLOCK
    batch = message.table(2)
    return _batch_bytes(batch if kind == _RECORDS else batch.table(1), body)


def _batch_bytes(batch: Table, body: int) -> tuple[int, int]:
    start, count = batch.vector(2)
    is_packed = batch.place(3) is not None
    total = 0
    for i in range(count):
        offset, length = struct.unpack_from("<qq", batch.data, start + i * _PAIR)
        inside = long_at(batch.data, body + offset) if is_packed and length else 0
        total += max(0, length, inside)
    nodes, num_nodes = batch.vector(1)
    rows = sum(max(0, long_at(batch.data, nodes + i * _PAIR)) for i in range(num_nodes))
    return max(total, rows * _CELL_BYTES), _BLOCK + (count + num_nodes) * _PAIR
