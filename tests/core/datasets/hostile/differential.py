"""Compare a reading with Python's own strict csv reader."""

import csv
import io
import math
import re

import polars as pl

from core.columns.cells import NULLS
from core.columns.number_formats import number_pattern
from core.datasets.reading import CsvReading

_NUMBER = re.compile(number_pattern(".", ""))


def differences(
    content: bytes, table: pl.DataFrame, reading: CsvReading
) -> list[str] | None:
    """Return the cells that differ; None if the two readings cannot be compared."""
    rows = _strictly(content, str(reading.parsing["delimiter"]))
    if rows is None or not reading.parsing["header"] or reading.parsing["skipped_lines"]:
        return None
    names, values = rows[0], rows[1:]
    width = len(names)
    is_even = all(len(row) == width for row in rows)
    if not is_even or len(set(names)) < width or table.columns != names:
        return None
    kept = [row for row in values if any(cell not in NULLS for cell in row)]
    if len(kept) != table.height:
        return [f"{table.height} rows; csv has {len(kept)}"]
    found = (
        _differs(names[c], [row[c] for row in kept], table[names[c]])
        for c in range(width)
    )
    return [line for line in found if line][:5]


def _strictly(content: bytes, delimiter: str) -> list[list[str]] | None:
    csv.field_size_limit(2**31 - 1)
    try:
        decoded = content.decode("utf-8-sig")
        if "\n" in decoded and "\r" in decoded.replace("\r\n", ""):
            return None  # csv ends a line at a lone CR; the service reads a blank
        text = io.StringIO(decoded, newline="")
        rows = [row for row in csv.reader(text, delimiter=delimiter, strict=True) if row]
    except (csv.Error, UnicodeDecodeError):
        return None
    return rows if len(rows) > 1 else None


def _differs(name: str, cells: list[str], column: pl.Series) -> str:
    for i, (cell, value) in enumerate(zip(cells, column.to_list(), strict=True)):
        if not _same(cell.strip(), value):
            return f"{name[:20]}, row {i}: {cell[:40]!r} is {str(value)[:40]!r}"
    return ""


def _same(cell: str, value: object) -> bool:
    if value is None or isinstance(value, bool) or not isinstance(value, float | str):
        return True  # missing, boolean or moment: other tests cover these
    if isinstance(value, str):
        return value == cell or value.replace("\r\n", "\n") == cell.replace("\r\n", "\n")
    if not _NUMBER.match(cell):
        return True
    return math.isclose(value, float(cell), rel_tol=1e-12)
