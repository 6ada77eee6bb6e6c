"""Read the rows of a file that is not a CSV, to print them next to the predictions."""

import json
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from fitserve.cli.rows import Row, Rows
from fitserve.client.plain_files import open_plain, plain_format
from fitserve.client.sheet_parts import read_sheet
from fitserve.client.splitting import import_reader
from fitserve.file_formats import FileFormat
from fitserve.frames import library
from fitserve.sheets import text_of


def rows_in(path: Path, parsing: dict[str, Any] | None) -> Rows | None:
    """Return the rows of a file by its first bytes; None if the file is a CSV.

    `parsing` is the layout that the answer reports. Rows that cannot be read here have no
    cells.
    """
    try:
        import_reader(path)
    except ImportError as missing:
        return UnreadRows(path, {"missing": str(missing)})
    found = plain_format(path)
    if found == FileFormat.JSON_LINES:
        return JsonRows(path, {})
    if found in (FileFormat.PARQUET, FileFormat.ARROW, FileFormat.ARROW_STREAM):
        return FrameRows(path, {"format": found})
    if found == FileFormat.ZIP and parsing:
        return SheetRows(path, parsing)
    return None if found == FileFormat.CSV else UnreadRows(path, {})


class UnreadRows(Rows):
    """Rows that the command line cannot read; `missing` may say why."""

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(())

    def place(self, row: int) -> str:
        """Return the number of a row, from 1, as a text for the user."""
        return f"row {row + 1}"

    @cached_property
    def names(self) -> list[str]:
        """Return no names."""
        return []

    @cached_property
    def lines(self) -> "array[int]":
        """Return no lines."""
        return array("q")


class JsonRows(Rows):
    """The rows of a file of JSON Lines; each iteration reads the file again."""

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for _, row in self._objects():
            yield [row.get(name) for name in self.names]

    @cached_property
    def names(self) -> list[str]:
        """Return the keys of all objects, in order of appearance."""
        return list(dict.fromkeys(key for _, row in self._objects() for key in row))

    @cached_property
    def lines(self) -> "array[int]":
        """Return the line of each row, from 1."""
        return array("q", (line for line, _ in self._objects()))

    def _objects(self) -> Iterator[tuple[int, dict[str, Any]]]:
        with open_plain(self.path) as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, json.loads(text.decode("utf-8-sig"))


class FrameRows(Rows):
    """The rows of a Parquet or Arrow file."""

    def __iter__(self) -> Iterator[Sequence[Any]]:
        rows: Iterator[Sequence[Any]] = self._frame.iter_rows()
        return rows

    @cached_property
    def names(self) -> list[str]:
        """Return the names of the columns."""
        names: list[str] = self._frame.columns
        return names

    @cached_property
    def lines(self) -> "array[int]":
        """Return the number of each row, from 1."""
        return array("q", range(1, self._frame.height + 1))

    def place(self, row: int) -> str:
        """Return the number of a row, from 1, as a text for the user."""
        return f"row {row + 1}"

    @cached_property
    def _frame(self) -> Any:
        pl = library("polars")
        read = {
            FileFormat.PARQUET: pl.read_parquet,
            FileFormat.ARROW: pl.read_ipc,
            FileFormat.ARROW_STREAM: pl.read_ipc_stream,
        }[self.parsing["format"]]
        with open_plain(self.path) as file:
            return read(file.read())


class SheetRows(Rows):
    """The rows of a sheet of a workbook, as a CSV of the same cells would have them."""

    def place(self, row: int) -> str:
        """Return the number of a row in the sheet, from 1, as a text for the user."""
        return super().place(row).replace("line ", "row ")

    def _records(self) -> Iterator[tuple[int, Row]]:
        """Yield every row that has a cell, with its number in the sheet."""
        skipped: int = self.parsing["skipped_rows"]
        for number, cells in enumerate(self._sheet.iter_rows(), start=1):
            texts = [text_of(cell) for cell in cells]
            if number > skipped and any(texts):
                yield number, texts

    @cached_property
    def _sheet(self) -> Any:
        return read_sheet(self.path, self.parsing["sheet"])
