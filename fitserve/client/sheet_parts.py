"""Split a sheet of a workbook into parts, each a small workbook."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fitserve.client.parts import Part, PartSize
from fitserve.client.plain_files import open_plain
from fitserve.client.xlsx import xlsx_of
from fitserve.frames import library
from fitserve.sheets import sheet_with_rows, text_of

_NUMBER_BYTES = 8
Cells = Sequence[Any]


def read_sheet(path: Path, name: str | None) -> Any | None:
    """Return the sheet of this name, or the first one with rows; None if there is none.

    Raises ImportError without the library that reads workbooks.
    """
    calamine = library("python_calamine")
    with open_plain(path) as file:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
    if name is None:
        return sheet_with_rows(book)
    return book.get_sheet_by_name(name) if name in book.sheet_names else None


class SheetParts:
    """The parts of one sheet; each part has the names of the columns as its first row.

    The first part also has the rows above the table, which the service recognises.
    """

    def __init__(self, sheet: Any, given: dict[str, Any], size: PartSize) -> None:
        self.parsing: dict[str, Any] = {}
        self._given = given
        self._size = size
        self._name = sheet.name
        self._groups = self._cut(sheet.iter_rows())
        self._group: list[Cells] = []

    def close(self) -> None:
        """Keep nothing open: the sheet is in memory."""

    def first(self) -> Part:
        """Return the first part; raise StopIteration if the sheet has no rows."""
        self._group = next(self._groups)
        return Part(xlsx_of(self._name, self._group), self._given, 0)

    def next(self, parsing: dict[str, Any]) -> Part | None:
        """Return the next part, or None at the end of the sheet."""
        self.parsing = self.parsing or parsing
        for rows in self._groups:
            if any(map(_is_filled, rows)):
                content = xlsx_of(self._name, [self._head(), *rows])
                return Part(content, {**self._given, "header": True}, 0)
        return None

    def _head(self) -> Cells:
        """Return the names of the columns; generate them if the sheet has none."""
        rows = filter(_is_filled, self._group[self.parsing["skipped_rows"] :])
        first = next(rows)
        if not self.parsing["header"]:
            return [f"column_{i + 1}" for i in range(len(first))]
        names = [text_of(cell).strip() for cell in first]
        for _ in range(self.parsing.get("unit_lines", 0)):
            pairs = zip(names, next(rows), strict=True)
            names = [name or text_of(unit).strip() for name, unit in pairs]
        return names

    def _cut(self, rows: Iterator[Cells]) -> Iterator[list[Cells]]:
        """Yield the rows of one part after another."""
        group: list[Cells] = []
        num_bytes = 0
        for row in rows:
            group.append(row)
            num_bytes += sum(map(_size, row))
            if num_bytes >= self._size.num_bytes or len(group) >= self._size.num_lines:
                yield group
                group, num_bytes = [], 0
        if group:
            yield group


def _is_filled(row: Cells) -> bool:
    return any(cell != "" for cell in row)


def _size(cell: Any) -> int:
    return len(cell) if isinstance(cell, str) else _NUMBER_BYTES
