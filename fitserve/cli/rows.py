"""Read the rows of a CSV to predict, in the way that the service reports."""

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

from fitserve.client.parts import open_plain

_MOST_CELL = 2**31 - 1
Row = list[str]


@dataclass(frozen=True)
class Rows:
    """A file that was sent; each iteration reads its rows again, one by one.

    Args:
        path: a CSV, gzipped or not.
        parsing: how the service understood it.

    """

    path: Path
    parsing: dict[str, Any]

    def __iter__(self) -> Iterator[Row]:
        width = len(self.names)
        for _, cells in self._values():
            yield [*cells[:width], *[""] * (width - len(cells))]

    @cached_property
    def names(self) -> Row:
        """Return the names of the columns, invented if the file has no header."""
        first, *more = [cells for _, cells in islice(self._records(), 2)] or [[]]
        if not self.parsing["header"]:
            return [f"column_{i + 1}" for i in range(len(first))]
        if more and len(more[0]) == len(first) + 1 and more[0][-1].strip():
            return ["", *first]  # row names without a name, as R writes them
        return first

    @cached_property
    def lines(self) -> "array[int]":
        """Return the line at which each row begins, from 1."""
        return array("q", (line for line, _ in self._values()))

    def place(self, row: int) -> str:
        """Return the line of a row, from 1, as a text for the user."""
        return f"line {self.lines[row]}" if row < len(self.lines) else f"row {row}"

    def _values(self) -> Iterator[tuple[int, Row]]:
        return islice(self._records(), int(self.parsing["header"]), None)

    def _records(self) -> Iterator[tuple[int, Row]]:
        """Yield every record that has a cell, with its first line in the file."""
        skipped: int = self.parsing["skipped_lines"]
        with open_text(self.path, self.parsing["encoding"]) as text:
            for _ in islice(text, skipped):
                pass
            for line, cells in records(
                text, self.parsing["delimiter"], self.parsing["quote"]
            ):
                yield skipped + line, cells


def open_text(path: Path, encoding: str) -> TextIOWrapper:
    """Open a CSV, gzipped or not, without changing its line ends."""
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    return TextIOWrapper(open_plain(path), codec, errors="replace", newline="")


def records(
    lines: Iterator[str] | TextIOWrapper, delimiter: str, quote: str = '"'
) -> Iterator[tuple[int, Row]]:
    """Yield every record that has a cell, with the number of its first line, from 1."""
    csv.field_size_limit(_MOST_CELL)
    if delimiter == " ":  # any number of blanks separates two cells
        lines = (" ".join(line.split()) for line in lines)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    last = 0
    for cells in reader:
        if any(cells):
            yield last + 1, cells
        last = reader.line_num
