"""Read the rows of a file that is not a CSV, to print them next to the predictions."""

import json
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from fitserve.cli.rows import Rows
from fitserve.client.parts import HEAD, open_plain
from fitserve.file_formats import ZSTD, FileFormat, format_of


def rows_in(path: Path) -> Rows | None:
    """Return the rows of a file by its first bytes; None if the file is a CSV.

    The rows of a format that this package cannot read have no cells.
    """
    with open_plain(path) as file:
        head = file.read(HEAD)
    found = format_of(head)
    if head.startswith(ZSTD):
        return UnreadRows(path, {})
    if found == FileFormat.JSON_LINES:
        return JsonRows(path, {})
    if found in (FileFormat.PARQUET, FileFormat.ARROW):
        return FrameRows(path, {"format": found})
    return None if found == FileFormat.CSV else UnreadRows(path, {})


class UnreadRows(Rows):
    """Rows of a format that the command line cannot read."""

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(())

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
    """The rows of a Parquet or Arrow file; without polars, they have no cells."""

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(() if self._frame is None else self._frame.iter_rows())

    @cached_property
    def names(self) -> list[str]:
        """Return the names of the columns."""
        return [] if self._frame is None else self._frame.columns

    @cached_property
    def lines(self) -> "array[int]":
        """Return the number of each row, from 1."""
        height = 0 if self._frame is None else self._frame.height
        return array("q", range(1, height + 1))

    def place(self, row: int) -> str:
        """Return the number of a row, from 1, as a text for the user."""
        return f"row {row + 1}"

    @cached_property
    def _frame(self) -> Any:
        try:
            pl = import_module("polars")  # the client works without it
        except ImportError:
            return None
        is_parquet = self.parsing["format"] == FileFormat.PARQUET
        with open_plain(self.path) as file:
            return (pl.read_parquet if is_parquet else pl.read_ipc)(file.read())
