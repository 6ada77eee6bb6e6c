"""Read the beginning of an upload as a dataset would be read, and store nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.datasets.profile import profile, read_slice
from core.datasets.reading import read_csv
from fitserve.schemas.datasets import DatasetPreview, RowsRead
from fitserve.specs.parsing import ParsingSpec

PREVIEW_BYTES = 1024 * 1024
"""Only so many bytes of a CSV are read."""
_ROWS = 20
_MOST_LINES = 10_000
_UTF_16_ENDS = (b"\n\0", b"\0\n", b"\r\0", b"\0\r")
_QUOTE = b'"'


def preview_csv(
    source: Path, folder: Path, given: ParsingSpec, max_columns: int
) -> DatasetPreview:
    """Return the columns and the first rows of a CSV; temporary files go to `folder`.

    Raises InvalidTable, as for an upload.
    """
    size = source.stat().st_size
    read = source if size <= PREVIEW_BYTES else _beginning(source, folder / "head.csv")
    reading = read_csv(read, folder, given, max_columns)
    table = folder / "table.parquet"
    columns = profile(table, reading.columns, reading.stats)
    names, data = read_slice(table, 0, _ROWS)
    num_rows = reading.stats[0].rows
    return DatasetPreview(
        columns=columns,
        parsing=reading.parsing,
        warnings=reading.warnings,
        rows=RowsRead(columns=names, data=data, offset=0, total=num_rows),
        is_complete=read is source,
    )


def _beginning(source: Path, target: Path) -> Path:
    """Write the first whole lines of a file, in any encoding, to `target`."""
    with source.open("rb") as file:
        data = file.read(PREVIEW_BYTES)
    target.write_bytes(data[: _end_of_lines(data)])
    return target


def _end_of_lines(data: bytes) -> int:
    """Return where the last line ends that is not inside of quotes."""
    line_ends = _UTF_16_ENDS if b"\0" in data[:200] else (b"\n", b"\r")
    end = last = _last_line_end(data, line_ends, len(data)) or len(data)
    num_quotes = data.count(_QUOTE, 0, end)
    for _ in range(_MOST_LINES):
        if num_quotes % 2 == 0:
            return end
        before = _last_line_end(data, line_ends, end - 1)
        if before == 0:
            break
        num_quotes -= data.count(_QUOTE, before, end)
        end = before
    return last


def _last_line_end(data: bytes, line_ends: Sequence[bytes], stop: int) -> int:
    """Return the place after the last line end before `stop`; 0 if there is none."""
    width = len(line_ends[0])
    for_each = []
    for mark in line_ends:
        at = data.rfind(mark, 0, stop)
        while at >= 0 and at % width:  # half of two characters of UTF-16
            at = data.rfind(mark, 0, at + width - 1)
        for_each.append(at + width if at >= 0 else 0)
    return max(for_each)
