"""From a CSV to typed Parquet; what cannot be read is refused with its line."""

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl

from core.datasets.column_types import ColumnFacts, gather_facts, typed
from core.errors import InvalidTable

_HEADER_BYTES = 4 * 1024 * 1024


def read_csv(source: Path, target: Path, max_columns: int) -> list[ColumnFacts]:
    """Write the CSV at `source` as typed Parquet to `target`.

    Returns the facts of its columns, in order.
    Raises InvalidTable: empty, no rows, bad header, ragged or undecodable.
    """
    names, num_lines = _header(source, max_columns)
    try:
        table = _scan(source, names, num_lines)
        facts = gather_facts(table, names)
        if all(fact.present == 0 for fact in facts):
            raise InvalidTable(
                "The CSV has a header but no values; add at least one line of them."
            )
        table.select([typed(fact.name, fact.type) for fact in facts]).sink_parquet(
            target, compression="zstd", row_group_size=100_000
        )
    except pl.exceptions.PolarsError as error:
        fault = _fault(source, len(names)) or str(error).splitlines()[0]
        raise InvalidTable(f"The CSV cannot be read. {fault}") from error
    _refuse_short_lines(source, facts)
    return facts


def _scan(source: Path, names: list[str], num_lines: int) -> pl.LazyFrame:
    """The rows as text, blank lines left out."""
    schema = dict.fromkeys(names, pl.String)
    # the header was read already: polars trips over a quoted last name before CR LF
    table = pl.scan_csv(source, has_header=False, skip_lines=num_lines, schema=schema)
    return table.filter(pl.any_horizontal(pl.all().is_not_null()))


def _refuse_short_lines(source: Path, facts: list[ColumnFacts]) -> None:
    """Polars fills short lines silently; they leave the last column empty."""
    may_be_short = len(facts) > 1 and facts[-1].missing
    if may_be_short and (fault := _fault(source, len(facts))):
        raise InvalidTable(f"The CSV cannot be read. {fault}")


def _header(source: Path, max_columns: int) -> tuple[list[str], int]:
    """The column names, and how many lines of the file they take."""
    with source.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    if not start.strip():
        raise InvalidTable("The file is empty; expected a CSV with a header line.")
    if b"\0" in start:
        raise InvalidTable(
            "The file holds NUL bytes, so it is not a CSV in UTF-8; save it as CSV UTF-8."
        )
    names, num_lines = _first_record(start)
    _check_names(names, max_columns)
    return names, num_lines


def _first_record(start: bytes) -> tuple[list[str], int]:
    text = start.decode("utf-8-sig", errors="replace")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return next(record for record in reader if record), reader.line_num
    except (csv.Error, StopIteration) as error:
        raise InvalidTable(
            f"Line {reader.line_num}: the header cannot be read as CSV ({error}); "
            "expected column names separated by commas."
        ) from error


def _check_names(names: list[str], max_columns: int) -> None:
    if len(names) > max_columns:
        raise InvalidTable(
            f"Line 1 names {len(names)} columns; this service takes {max_columns}."
        )
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise InvalidTable(f"Line 1: column {place} has no name; give it one.")
        if name in names[: place - 1]:
            raise InvalidTable(
                f"Line 1: the column name {name!r} stands twice; names must differ."
            )


def _fault(source: Path, width: int) -> str | None:
    """The line at fault, found by reading again with the standard library."""
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            return next(
                (_ragged(reader, n, width) for n in reader if _odd(n, width)), None
            )
    except UnicodeDecodeError as fault:
        return (
            f"Byte {fault.start} and on is not UTF-8 ({fault.reason}); "
            "save the table as CSV UTF-8."
        )
    except csv.Error as fault:
        return f"Line {reader.line_num} cannot be read as CSV: {fault}."


def _odd(record: list[str], width: int) -> bool:
    return bool(record) and len(record) != width


def _ragged(reader: Any, record: list[str], width: int) -> str:
    return (
        f"Line {reader.line_num} has {len(record)} cells where the header names "
        f"{width} columns; quote cells that hold commas."
    )
