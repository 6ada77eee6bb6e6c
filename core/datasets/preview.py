"""Read the beginning of an upload as a dataset would be read, and store nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.datasets.profile import profile, read_slice
from core.datasets.recognise import NAMES, recognise
from core.datasets.table_file import read_table
from core.datasets.target_guess import suggested_target
from core.datasets.typed_source import unpacked_bytes
from core.errors import TooLarge
from core.settings import Limits
from fitserve.file_formats import FileFormat
from fitserve.schemas.datasets import DatasetPreview, RowsRead
from fitserve.specs.parsing import ParsingSpec

PREVIEW_BYTES = 1024 * 1024
"""Only so many bytes of a CSV or of JSON Lines are read."""
_MOST_MEMORY = 1024**3
_OF_LINES = (FileFormat.CSV, FileFormat.JSON_LINES)
_ROWS = 20
_MOST_LINES = 10_000
_UTF_16_ENDS = (b"\n\0", b"\0\n", b"\r\0", b"\0\r")
_QUOTE = b'"'


def preview_table(
    source: Path, folder: Path, given: ParsingSpec, limits: Limits
) -> DatasetPreview:
    """Return the columns and the first rows of a file; temporary files go to `folder`.

    Raises InvalidTable, as for an upload, and TooLarge for a large file with types.
    """
    read = _readable(source, folder / "head", limits.max_inline_bytes)
    reading = read_table(read, folder, given, limits.max_columns, _MOST_MEMORY)
    table = folder / "table.parquet"
    columns = profile(table, reading.columns, reading.stats)
    names, data = read_slice(table, 0, _ROWS)
    num_rows = reading.stats[0].rows
    return DatasetPreview(
        columns=columns,
        suggested_target=suggested_target(columns),
        parsing=reading.parsing,
        warnings=reading.warnings,
        rows=RowsRead(columns=names, data=data, offset=0, total=num_rows),
        is_complete=read is source,
    )


def _readable(source: Path, target: Path, most_bytes: int) -> Path:
    """Return the file, or its beginning; raise TooLarge if only the whole is a table."""
    found, size = recognise(source), source.stat().st_size
    if found in _OF_LINES:
        return source if size <= PREVIEW_BYTES else _beginning(source, target)
    size = max(size, unpacked_bytes(source, found))
    if size > most_bytes:
        raise TooLarge(
            f"A preview reads {NAMES[found]} files of up to {most_bytes:,} bytes, "
            f"unpacked; this one has {size:,}. Upload it, or preview a part of it."
        )
    return source


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
    """Return the place after the last line end before `stop`, or 0."""
    width = len(line_ends[0])
    for_each = []
    for mark in line_ends:
        at = data.rfind(mark, 0, stop)
        while at >= 0 and at % width:  # half of two characters of UTF-16
            at = data.rfind(mark, 0, at + width - 1)
        for_each.append(at + width if at >= 0 else 0)
    return max(for_each)
