"""Read a file of any format that holds a table."""

from __future__ import annotations

from pathlib import Path

from core.datasets.expected import Expected
from core.datasets.reading import CsvReading, read_csv
from core.datasets.recognise import WORKBOOKS, recognise, refuse_options
from core.datasets.typed_reading import write_typed_source
from core.datasets.typed_source import open_typed, readable, unpacked_bytes
from fitserve.file_formats import FileFormat
from fitserve.specs.parsing import ParsingSpec


def read_table(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    max_columns: int,
    most_memory: int | None = None,
    expected: Expected | None = None,
) -> CsvReading:
    """Write the table at `source` as typed Parquet to `folder/table.parquet`.

    The first bytes decide the format. `most_memory` limits the process that reads a
    workbook. `expected` holds the columns of the version to which the table is appended.
    Raises InvalidTable.
    """
    found = recognise(source)
    refuse_options(found, given)
    if found == FileFormat.CSV:
        return read_csv(source, folder, given, max_columns, expected)
    with readable(found):
        opened = open_typed(source, folder, found, given, max_columns, most_memory)
        if expected is not None:
            opened = opened.named(expected.spelled(opened.columns))
            expected.check(opened.columns, given, max_columns)
        opened, target = opened.measured(), folder / "table.parquet"
        written = write_typed_source(opened, given, target, expected)
    return CsvReading(opened.parsing, written.columns, written.stats, opened.warnings)


def is_small(source: Path, most_bytes: int) -> bool:
    """Return whether a file is read in the request: no workbook, and small if unpacked.

    Raises InvalidTable if the file cannot be a table.
    """
    if source.stat().st_size > most_bytes:
        return False
    found = recognise(source)
    return found not in WORKBOOKS and unpacked_bytes(source, found) <= most_bytes


def options_of(reading: CsvReading, given: ParsingSpec) -> ParsingSpec:
    """Return the options of an upload, with the missing words that its format has.

    In a file with types, only an empty text is missing: `NA` is an ordinary word. The
    models of the dataset read texts in the same way.
    """
    is_typed = reading.parsing["format"] not in (FileFormat.CSV, *WORKBOOKS)
    if not is_typed or given.null_values is not None:
        return given
    return given.model_copy(update={"null_values": reading.parsing["null_values"]})
