"""Read the rows of a CSV that was sent, in the layout that the service used."""

import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

from fitserve.client.csv_parts import wide_codec
from fitserve.client.plain_files import open_plain
from fitserve.csv_marks import Marks
from fitserve.file_formats import HEAD_BYTES

_DELIMITERS = ",;\t|"
_MOST_ABOVE = 40
Row = list[str]


@dataclass(frozen=True)
class Rows:
    """The rows of a CSV, gzipped or not; each iteration reads the file again.

    `parsing` is the layout, as an answer reports it.
    """

    path: Path
    parsing: dict[str, Any]

    def __iter__(self) -> Iterator[Sequence[Any]]:
        width = len(self.names)
        for _, cells in self._values():
            yield [*cells[:width], *[""] * (width - len(cells))]

    @cached_property
    def names(self) -> Row:
        """Return the names of the columns; generate them if the file has no header."""
        first, *more = [cells for _, cells in islice(self._records(), 2)] or [[]]
        if not self.parsing["header"]:
            return [f"column_{i + 1}" for i in range(len(first))]
        if self._num_units:
            return [name if name.strip() else more[0][i] for i, name in enumerate(first)]
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
        above = int(self.parsing["header"]) + self._num_units
        return islice(self._records(), above, None)

    @property
    def _num_units(self) -> int:
        """Return the number of rows of units below the names."""
        number: int = self.parsing.get("unit_lines", 0)  # earlier releases lack the key
        return number

    def _records(self) -> Iterator[tuple[int, Row]]:
        """Yield every record that has a cell, with its first line in the file."""
        skipped: int = self.parsing["skipped_lines"]
        with _opened(self.path, self.parsing["encoding"]) as text:
            for _ in islice(text, skipped):
                pass
            for line, cells in _records(text, Marks.of(self.parsing)):
                yield skipped + line, cells


def guessed(path: Path, given: dict[str, Any], columns: set[str]) -> dict[str, Any]:
    """Return the most likely layout of a file if the answer does not report the layout.

    Refusals and stored answers do not report it. The header is the record that contains
    all of `columns`, which the answer names.
    """
    encoding = given.get("encoding") or _encoding(path)
    found = {"quote": '"', "header": True, "encoding": encoding, "skipped_lines": 0}
    marks = given.get("delimiter", _DELIMITERS).replace("\\t", "\t")
    if given.get("header") is False:
        return {**found, "delimiter": marks[0], "header": False}
    for mark in marks:
        line = _header_line(path, encoding, mark, columns)
        if line is not None:
            return {**found, "delimiter": mark, "skipped_lines": line - 1}
    return {**found, "delimiter": marks[0], "header": bool(given.get("header"))}


def _header_line(
    path: Path, encoding: str, delimiter: str, columns: set[str]
) -> int | None:
    wanted = {unicodedata.normalize("NFC", name) for name in columns}
    with _opened(path, encoding) as text:
        for line, cells in islice(_records(text, Marks(delimiter)), _MOST_ABOVE):
            if wanted <= {unicodedata.normalize("NFC", cell.strip()) for cell in cells}:
                return line
    return None


def _encoding(path: Path) -> str:
    if wide := wide_codec(path, None):
        return wide
    with open_plain(path) as file:
        head = file.read(HEAD_BYTES)
    try:
        head[: head.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _opened(path: Path, encoding: str) -> TextIOWrapper:
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    return TextIOWrapper(open_plain(path), codec, errors="replace", newline="")


def _records(text: TextIOWrapper, marks: Marks) -> Iterator[tuple[int, Row]]:
    """Yield every record that has a cell, with the number of its first line, from 1."""
    # any number of blanks separates two cells
    lines = (" ".join(line.split()) for line in text) if marks.delimiter == " " else text
    reader = marks.reader(lines)
    last = 0
    for cells in reader:
        if any(cells):
            yield last + 1, cells
        last = reader.line_num
