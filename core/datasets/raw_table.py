"""Convert a CSV in UTF-8 to Parquet with plain numbers and trimmed text, in one pass.

A column whose first rows hold only plain numbers is parsed as numbers. If a later row of
it holds another value, the pass is repeated with that column as text.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from core.columns.base import LARGEST_EXACT
from core.columns.missing import NullWords
from core.columns.number_formats import number_pattern
from core.columns.number_notes import LOOKS_PLAIN_ONLY
from core.datasets.dialect import Layout
from core.datasets.late_codes import late_codes
from core.datasets.repair import find_fault, repair
from core.errors import InvalidTable
from core.lazy import pl

_MOST_PASSES = 4
HELD = "\x1fheld"  # no CSV has a column of this name
SAMPLE_ROWS = 5_000
"""The first rows, from which types are planned."""
CELL_BYTES = 64 * 1024
ROW_GROUP = 100_000
SMALL_CELLS = 1_000_000
"""Tables up to this many cells are read in memory; see core.columns.facts.Cells."""


def write_raw(
    source: Path, layout: Layout, nulls: NullWords, text_only: set[str], target: Path
) -> list[str]:
    """Write the table to `target`; return the names of the text columns.

    Raises InvalidTable for a line that is too long, too short or unreadable.
    """
    try:
        return _passes(source, layout, nulls, text_only, target)
    except pl.exceptions.PolarsError as error:
        repaired = target.with_suffix(".csv")
        layout.warnings += repair(source, layout, repaired, str(error))
    plain = Layout(",", '"', names=layout.names)
    try:
        return _passes(repaired, plain, nulls, text_only, target)
    except pl.exceptions.PolarsError as error:
        raise InvalidTable(
            f"The CSV cannot be read: {str(error).splitlines()[0]}"
        ) from error


def _passes(
    source: Path, layout: Layout, nulls: NullWords, text_only: set[str], target: Path
) -> list[str]:
    numbers = _plain_numbers(source, layout, nulls.shared) - text_only
    for _ in range(_MOST_PASSES):
        try:
            if not (odd := _write(source, layout, nulls, numbers, target)):
                break
            numbers = numbers - odd
        except pl.exceptions.ComputeError as error:
            found = re.search(r"at column .* \(column number (\d+)\)", str(error))
            name = layout.names[int(found[1]) - 1] if found else ""
            if name not in numbers:
                raise
            numbers = numbers - {name}
    else:
        _write(source, layout, nulls, set(), target)
        numbers = set()
    texts = [name for name in layout.names if name not in numbers]
    _check(source, layout, texts, target)
    return texts


def _plain_numbers(source: Path, layout: Layout, nulls: list[str]) -> set[str]:
    """Return the columns whose first rows are numbers that polars can parse."""
    head = scan(source, layout, nulls, set()).head(SAMPLE_ROWS).collect()
    codes = pl.all().str.contains(LOOKS_PLAIN_ONLY).any()
    plain = pl.all().str.contains(number_pattern(".", "")).all() & (pl.all().count() > 0)
    if not head.height:
        return set()
    row = head.select(plain & ~codes).row(0, named=True)
    found = {name for name, is_plain in row.items() if is_plain}
    is_all = head.height < SAMPLE_ROWS
    return found if is_all else found - late_codes(source, layout, found)


def scan(
    source: Path,
    layout: Layout,
    nulls: list[str],
    numbers: set[str],
    *,
    blank: list[str] | None = None,
) -> pl.LazyFrame:
    """Return the rows of the table as in the file, without blank lines.

    Cells that are one of `nulls` are null. A line is blank if each of its cells is one of
    `blank` (by default, of `nulls`).
    """
    table = scan_held(source, layout, nulls, numbers, blank)
    return table.filter(pl.col(HELD)).drop(HELD)


def scan_held(
    source: Path,
    layout: Layout,
    nulls: list[str],
    numbers: set[str],
    blank: list[str] | None = None,
) -> pl.LazyFrame:
    """Return the rows with blank lines, and with a column that is false for these."""
    kinds = {n: pl.Float64 if n in numbers else pl.String for n in layout.names}
    # the header is skipped: polars fails on a quoted last name before CR LF
    table = pl.scan_csv(
        source,
        has_header=False,
        skip_lines=layout.num_lines,
        schema=kinds,
        separator=layout.delimiter,
        quote_char=layout.quote,
        null_values=nulls,
        glob=False,
    )
    # a column, because polars would evaluate a filter condition on 2,000 texts in its CSV
    # reader, which takes seconds and gigabytes
    held = pl.any_horizontal(_has_value(layout, nulls, numbers, blank))
    return table.with_columns(held.alias(HELD))


def _has_value(
    layout: Layout, nulls: list[str], numbers: set[str], blank: list[str] | None
) -> list[pl.Expr]:
    if blank is None or blank == nulls:
        return [pl.all().is_not_null()]
    return [
        pl.col(n).is_not_null() if n in numbers else ~pl.col(n).is_in(blank)
        for n in layout.names
    ]


def _write(
    source: Path, layout: Layout, nulls: NullWords, numbers: set[str], target: Path
) -> set[str]:
    """Write the table; return the columns of numbers that float64 may not hold."""
    cells = [
        finite(name) if name in numbers else clean_text(name, nulls.of(name))
        for name in layout.names
    ]
    rows = scan(source, layout, nulls.shared, numbers, blank=nulls.common)
    sink = rows.select(cells).sink_parquet(
        target, compression="zstd", row_group_size=ROW_GROUP, lazy=True
    )
    sizes = rows.select(pl.col(name).abs().max() for name in sorted(numbers))
    if not numbers:
        pl.collect_all([sink], engine="streaming")
        return set()
    _, row = pl.collect_all([sink, sizes], engine="streaming")
    sizes_by_name = row.row(0, named=True)
    return {name for name, size in sizes_by_name.items() if (size or 0) >= LARGEST_EXACT}


def finite(name: str) -> pl.Expr:
    """Return a column of numbers, null where a number is infinite or NaN."""
    number = pl.col(name)
    return pl.when(number.is_finite()).then(number).alias(name)


def clean_text(name: str, nulls: list[str]) -> pl.Expr:
    """Return a column of trimmed cells, null where a cell means "missing"."""
    text = pl.col(name).str.strip_chars()
    return pl.when(~text.is_in(nulls)).then(text).alias(name)


def _check(source: Path, layout: Layout, texts: list[str], target: Path) -> None:
    """Raise InvalidTable for a huge cell, or a short line that polars filled silently."""
    table = pl.scan_parquet(target)
    longest = [pl.col(name).str.len_bytes().max() for name in texts]
    counts = table.select(
        pl.col(layout.names[-1]).null_count().alias("short"),
        pl.max_horizontal(longest).alias("bytes") if texts else pl.lit(0).alias("bytes"),
    )
    row = counts.collect(engine="streaming").row(0, named=True)
    if (row["bytes"] or 0) > CELL_BYTES:
        raise _huge_cell(source, layout)
    may_be_short = len(layout.names) > 1 and row["short"] and has_short(source, layout)
    if may_be_short and (fault := find_fault(source, layout)):
        raise InvalidTable(f"The CSV cannot be read. {fault}")


def _huge_cell(source: Path, layout: Layout) -> InvalidTable:
    csv.field_size_limit(2**31 - 1)
    with source.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, delimiter=layout.delimiter, quotechar=layout.quote)
        line = next(
            (
                reader.line_num
                for cells in reader
                if any(len(cell.encode()) > CELL_BYTES for cell in cells)
            ),
            None,
        )
    return InvalidTable(
        f"Line {line}: a cell is longer than {CELL_BYTES:,} bytes. Add a missing quote, "
        "shorten the cell, or remove the column."
    )


def has_short(source: Path, layout: Layout) -> bool:
    """Return whether a line has too few delimiters, or a quoted line break."""
    lines = pl.scan_csv(
        source,
        has_header=False,
        skip_lines=layout.num_lines,
        schema={"line": pl.String},
        separator="\x00",
        quote_char=None,
        glob=False,
    )
    line = pl.col("line")
    marks = line.str.count_matches(layout.delimiter, literal=True)
    short = (marks < len(layout.names) - 1) & (line.str.strip_chars() != "")
    return bool(lines.select(short.any()).collect(engine="streaming").item())
