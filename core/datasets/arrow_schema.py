"""Refuse Arrow IPC files with columns that polars cannot open, and name the columns.

polars panics at the schema of such a file, without the name of a column.
"""

import mmap
from collections import Counter
from pathlib import Path

from core.datasets.flat_buffers import FAULTS, Table, int_at
from core.errors import InvalidTable
from fitserve.file_formats import FileFormat
from fitserve.problems import FieldError

_UNKNOWN = {
    11: "intervals",
    14: "a union",
    22: "run ends",
    25: "views of lists",
    26: "views of lists",
}
"""The datatypes that polars cannot open, by their number in Arrow's `Schema.fbs`."""
_MOST_FIELDS = 100_000
_SHOWN = 5


def refuse_unreadable(source: Path, found: FileFormat) -> None:
    """Raise InvalidTable if a datatype is unknown, or if two columns have one name."""
    kinds = _fields(source, found)
    bad = [(name, _UNKNOWN[kind]) for name, kind in kinds if kind in _UNKNOWN]
    if bad:
        shown = ", ".join(f"{name[:100]!r} ({what})" for name, what in bad[:_SHOWN])
        raise InvalidTable(
            f"The Arrow file has columns that a table cannot hold: {shown}; expected "
            "numbers, booleans, texts, dates and times. Remove the column, or write its "
            "cells as text.",
            [
                FieldError(pointer="", detail=f"the column holds {what}", column=name)
                for name, what in bad
            ],
        )
    for name, count in Counter(name for name, _ in kinds).most_common(1):
        if count > 1:
            raise InvalidTable(
                f"The Arrow file has {count} columns of the name {name[:100]!r}; give "
                "each column a name of its own."
            )


def _fields(source: Path, found: FileFormat) -> list[tuple[str, int]]:
    """Return the name and the datatype of each column."""
    try:
        with (
            source.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            schema = _schema(data, found)
            if schema.vector(1)[1] > _MOST_FIELDS:
                raise ValueError("too many fields")
            return [(field.text(0), field.byte(2)) for field in schema.tables(1)]
    except FAULTS as error:
        raise InvalidTable(
            "The Arrow file is damaged or incomplete; send the complete file."
        ) from error


def _schema(data: mmap.mmap, found: FileFormat) -> Table:
    if found == FileFormat.ARROW_STREAM:
        return Table.root(data, 8).table(2)
    return Table.root(data, len(data) - 10 - int_at(data, len(data) - 10)).table(1)
