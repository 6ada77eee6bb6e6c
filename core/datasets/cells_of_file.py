"""Split a file to predict into cells, in the same way as an upload."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from core.columns.missing import NullWords
from core.datasets.raw_table import write_raw
from core.datasets.recognise import recognise, refuse_options
from core.datasets.text_file import USE_DATA_BINARY, no_values, text_file
from core.datasets.typed_source import (
    TypedSource,
    open_typed,
    readable,
    unpacked_bytes,
)
from core.errors import TooLarge
from core.lazy import pl
from fitserve.file_formats import FileFormat
from fitserve.specs.parsing import ParsingSpec

_MOST_TEXT = 256 * 1024 * 1024  # dictionary encoding can repeat one long text
_MOST_CELLS = 32 * 1024 * 1024
_MOST_MEMORY = 1024**3
_MOST_UNPACKED = 512 * 1024 * 1024


class Features(Protocol):
    """The columns of a model, which decide what is read from a file with types."""

    def needs(self, name: str) -> bool:
        """Return whether the model has a feature of this name."""

    def has_moments(self, name: str) -> bool:
        """Return whether this column is a feature of dates and times."""

    def refuse_too_many(self, num_rows: int) -> None:
        """Raise TooLarge if a request has too many rows."""


def read_cells(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    max_columns: int,
    features: Features,
    *,
    is_whole: bool = False,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the cells of a file as columns, and how the file was read.

    The columns of a text file are trimmed text, null where a cell is empty; lines without
    a value are skipped, as in an upload. In a file with types, the columns that the model
    does not have are null, unless `is_whole`. Raises InvalidTable and TooLarge.
    """
    found = recognise(source)
    refuse_options(found, given)
    if found == FileFormat.CSV:
        return _of_csv(source, folder, given, max_columns)
    if unpacked_bytes(source, found) > _MOST_UNPACKED:
        raise TooLarge(f"The file unpacks to more than {_MOST_UNPACKED:,} bytes.")
    with readable(found):
        opened = open_typed(source, folder, found, given, max_columns, _MOST_MEMORY)
        return _typed(opened, features, is_whole=is_whole), opened.parsing


def _of_csv(
    source: Path, folder: Path, given: ParsingSpec, max_columns: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    text = text_file(source, folder, given, max_columns, whole=True)
    raw = folder / "cells.parquet"
    write_raw(text.path, text.layout, NullWords([""]), set(text.layout.names), raw)
    cells = pl.read_parquet(raw)
    if not cells.height:
        error = no_values(text.path)
        error.detail += f" {USE_DATA_BINARY}"
        raise error
    return cells, text.parsing()


def _typed(
    opened: TypedSource, features: Features, *, is_whole: bool = False
) -> pl.DataFrame:
    """Return the cells of the model's columns, or of all columns that have cells."""
    names = [
        name
        for name, column in opened.columns.items()
        if features.needs(name) or (is_whole and column.is_readable)
    ]
    num_rows = opened.frame.select(pl.len()).collect().item()
    features.refuse_too_many(num_rows)
    frame = pl.DataFrame({name: [] for name in opened.columns}).clear(num_rows)
    if not names or not num_rows:
        return frame
    used = opened.only(names)
    _refuse_large(used, num_rows)
    used = used.measured()
    cells = used.frame.select(
        column.moments()
        if column.is_moment and features.has_moments(name)
        else column.cell(used.nulls)
        for name, column in used.columns.items()
    )
    return frame.with_columns(cells.collect())


def _refuse_large(used: TypedSource, num_rows: int) -> None:
    """Raise TooLarge if the cells would not fit into memory as separate objects."""
    if num_rows * len(used.columns) > _MOST_CELLS:
        raise TooLarge(f"The file has more than {_MOST_CELLS:,} cells; send it in parts.")
    if used.text_bytes() > _MOST_TEXT:
        raise TooLarge(f"The texts of the file are larger than {_MOST_TEXT:,} bytes.")
