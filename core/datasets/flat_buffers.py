"""Read FlatBuffers, which hold the messages of Arrow IPC."""

import mmap
import struct

FAULTS = (struct.error, IndexError, ValueError)
"""The errors of a damaged file."""


class Table:
    """A table of a FlatBuffer, whose fields are found by number."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self.data = data
        self._at = at
        self._offsets = at - int_at(data, at)
        self._size = short_at(data, self._offsets)

    @classmethod
    def root(cls, data: mmap.mmap, at: int) -> "Table":
        """Return the root table of the FlatBuffer that begins at `at`."""
        return cls(data, at + int_at(data, at))

    def place(self, field: int) -> int | None:
        """Return where a field is; None if it is absent."""
        slot = 4 + 2 * field
        offset = short_at(self.data, self._offsets + slot) if slot < self._size else 0
        return self._at + offset if offset else None

    def byte(self, field: int) -> int:
        """Return a field of one byte; 0 if it is absent."""
        place = self.place(field)
        return 0 if place is None else self.data[place]

    def long(self, field: int) -> int:
        """Return a field of eight bytes; 0 if it is absent."""
        place = self.place(field)
        return 0 if place is None else long_at(self.data, place)

    def table(self, field: int) -> "Table":
        """Return a field that is a table."""
        place = self.place(field)
        if place is None:
            raise ValueError("a message without content")
        return Table(self.data, place + int_at(self.data, place))

    def text(self, field: int) -> str:
        """Return a field of text; "" if it is absent."""
        start, size = self.vector(field)
        return self.data[start : start + size].decode()

    def tables(self, field: int) -> "list[Table]":
        """Return the items of a vector of tables."""
        start, count = self.vector(field)
        places = range(start, start + 4 * count, 4)
        return [Table(self.data, at + int_at(self.data, at)) for at in places]

    def vector(self, field: int) -> tuple[int, int]:
        """Return where the items of a vector begin, and how many it has."""
        place = self.place(field)
        if place is None:
            return 0, 0
        start = place + int_at(self.data, place)
        return start + 4, max(0, int_at(self.data, start))


def short_at(data: mmap.mmap, at: int) -> int:
    """Return the number in two bytes."""
    return int(struct.unpack_from("<H", data, at)[0])


def int_at(data: mmap.mmap, at: int) -> int:
    """Return the number in four bytes, which may be negative."""
    return int(struct.unpack_from("<i", data, at)[0])


def long_at(data: mmap.mmap, at: int) -> int:
    """Return the number in eight bytes, which may be negative."""
    return int(struct.unpack_from("<q", data, at)[0])
