"""Split a file to predict into cells, in the same way as an upload."""

from __future__ import annotations

from pathlib import Path

from core.columns.missing import NullWords
from core.datasets.raw_table import write_raw
from core.datasets.text_file import TextFile, text_file
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.specs.parsing import ParsingSpec


def read_cells(
    source: Path, folder: Path, given: ParsingSpec, max_columns: int
) -> tuple[pl.DataFrame, TextFile]:
    """Return the trimmed cells of a CSV as columns of text; an empty cell is null.

    Lines without a value are skipped, as in an upload. Raises InvalidTable.
    """
    text = text_file(source, folder, given, max_columns, whole=True)
    raw = folder / "cells.parquet"
    write_raw(text.path, text.layout, NullWords([""]), set(text.layout.names), raw)
    cells = pl.read_parquet(raw)
    if not cells.height:
        raise InvalidTable(
            "The CSV has a header but no values; add at least one row of values. If "
            "curl sends the file, use --data-binary, because -d removes line ends."
        )
    return cells, text
