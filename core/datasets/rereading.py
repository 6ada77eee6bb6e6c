"""Read columns of an uploaded CSV again, with types that differ from the stored ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.columns.base import Hints
from core.columns.cells import null_words, plain_name
from core.columns.decide import decide_types
from core.columns.facts import Cells, ColumnFacts, Wanted
from core.datasets.dialect import Layout
from core.datasets.one_pass import seen_nulls
from core.datasets.raw_table import ROW_GROUP, SMALL_CELLS, clean_text, scan, write_raw
from core.datasets.text_file import TextFile, text_file
from core.datasets.typed_reading import write_texts
from core.datasets.typed_source import open_typed, readable
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.file_formats import FileFormat
from fitserve.specs.parsing import ParsingSpec

_NO_LIMIT = 10**6
"""Number of columns that no table has: the upload was accepted."""


@dataclass(frozen=True)
class Reread:
    """A Parquet file of columns that were read again, in the rows of the stored table."""

    path: Path
    columns: list[ColumnFacts]


def read_again(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    wanted: Mapping[str, Wanted],
    num_rows: int,
    day_first: Mapping[str, bool],
    found: FileFormat = FileFormat.CSV,
) -> Reread:
    """Read the columns in `wanted` from the file at `source`; write them to `folder`.

    `given` holds the options of the upload, `num_rows` its number of rows, `found` its
    format, `day_first` the orders of day and month that other columns prove. Raises
    InvalidTable if a wanted type fits no cell of its column.
    """
    if found != FileFormat.CSV:
        return _from_typed(source, folder, given, wanted, found, day_first)
    names = list(wanted)
    raw = folder / "again.parquet"
    layout = _write_text(source, folder, given, names, num_rows, raw).layout
    table = pl.scan_parquet(raw)
    cells = Cells(table, is_small=num_rows * len(names) <= SMALL_CELLS)
    hints = replace(layout.hints(given.decimal), day_first=day_first)
    columns = decide_types(cells, names, wanted, hints)
    typed = folder / "typed.parquet"
    table.select(fact.typed() for fact in columns).sink_parquet(
        typed, compression="zstd", row_group_size=ROW_GROUP
    )
    return Reread(typed, columns)


def _from_typed(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    wanted: Mapping[str, Wanted],
    found: FileFormat,
    day_first: Mapping[str, bool],
) -> Reread:
    hints = Hints(decimal=given.decimal, day_first=day_first, is_typed=True)
    typed = folder / "typed.parquet"
    with readable(found):
        opened = open_typed(source, folder, found, given, _NO_LIMIT).only(set(wanted))
        columns = write_texts(opened.measured(), wanted, hints, typed)
    return Reread(typed, columns)


def _write_text(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    names: list[str],
    num_rows: int,
    target: Path,
) -> TextFile:
    """Write the columns as trimmed text, in the rows of the upload."""
    for text in _attempts(source, folder, given, names, target):
        held = pl.scan_parquet(target).select(pl.len()).collect().item()
        if held == num_rows:
            return text
    raise InvalidTable(
        f"This release reads {held:,} rows in the file, but the upload had {num_rows:,}. "
        "Upload the file again, with these types."
    )


def _attempts(
    source: Path, folder: Path, given: ParsingSpec, names: list[str], target: Path
) -> Iterator[TextFile]:
    """Write the columns once for each way in which the upload may have been read.

    The caller stops at the first one with the right number of rows.
    """
    nulls = null_words(given.null_values)
    try:
        text = text_file(source, folder, given, _NO_LIMIT, whole=False)
        columns = _spelled(text.layout, names)
        cells = [clean_text(c, nulls).alias(name) for name, c in columns.items()]
        for words in (seen_nulls(text, nulls), nulls):
            # rows in which every cell is one of `words` are left out
            rows = scan(text.path, text.layout, words, set()).select(cells)
            rows.sink_parquet(target, compression="zstd", row_group_size=ROW_GROUP)
            yield text
    except pl.exceptions.PolarsError:
        pass
    text = text_file(source, folder, given, _NO_LIMIT, whole=True)
    every = target.with_name("every.parquet")
    write_raw(text.path, text.layout, nulls, set(text.layout.names), every)
    columns = _spelled(text.layout, names)
    cells = [pl.col(column).alias(name) for name, column in columns.items()]
    pl.scan_parquet(every).select(cells).sink_parquet(target, compression="zstd")
    yield text


def _spelled(layout: Layout, names: list[str]) -> dict[str, str]:
    """Return the present name in the file for each column name of the upload.

    Release 0.1.0 did not convert names to one Unicode form.
    """
    known = {plain_name(name): name for name in layout.names}
    missing = [name for name in names if plain_name(name) not in known]
    if missing:
        raise InvalidTable(
            f"This release finds no column {missing[0]!r} in the file. Upload the file "
            "again, with these types."
        )
    return {name: known[plain_name(name)] for name in names}
