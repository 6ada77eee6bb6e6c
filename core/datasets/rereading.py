"""Read columns of an uploaded CSV again, with types that differ from the stored ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.columns.cells import null_words, plain_name
from core.columns.decide import decide_types
from core.columns.facts import Cells, ColumnFacts, Wanted
from core.columns.missing import NullWords, null_words_of
from core.datasets.dialect import Layout
from core.datasets.one_pass import seen_nulls
from core.datasets.raw_table import ROW_GROUP, SMALL_CELLS, clean_text, scan, write_raw
from core.datasets.text_file import TextFile, text_file
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.specs.parsing import ParsingSpec


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
) -> Reread:
    """Read the columns in `wanted` from the CSV at `source`; write them to `folder`.

    `given` holds the options of the upload, `num_rows` its number of rows, `day_first`
    the orders of day and month that other columns prove. Raises InvalidTable if a wanted
    type fits no cell of its column.
    """
    names = list(wanted)
    raw = folder / "again.parquet"
    words = {name: want.null_words(given.null_values) for name, want in wanted.items()}
    nulls = null_words_of(given.null_values, words)
    layout = _write_text(source, folder, given, nulls, names, num_rows, raw).layout
    table = pl.scan_parquet(raw)
    cells = Cells(table, is_small=num_rows * len(names) <= SMALL_CELLS)
    hints = replace(layout.hints(given.decimal), day_first=day_first)
    columns = nulls.noted(decide_types(cells, names, wanted, hints))
    typed = folder / "typed.parquet"
    table.select(fact.typed() for fact in columns).sink_parquet(
        typed, compression="zstd", row_group_size=ROW_GROUP
    )
    return Reread(typed, columns)


def _write_text(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    nulls: NullWords,
    names: list[str],
    num_rows: int,
    target: Path,
) -> TextFile:
    """Write the columns as trimmed text, in the rows of the upload."""
    for text in _attempts(source, folder, given, nulls, names, target):
        held = pl.scan_parquet(target).select(pl.len()).collect().item()
        if held == num_rows:
            return text
    raise InvalidTable(
        f"This release reads {held:,} rows in the file, but the upload had {num_rows:,}. "
        "Upload the file again, with these types."
    )


def _attempts(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    nulls: NullWords,
    names: list[str],
    target: Path,
) -> Iterator[TextFile]:
    """Write the columns once for each way in which the upload may have been read.

    `nulls` are the words of the columns, which may differ from those of the upload.
    The caller stops at the first one with the right number of rows.
    """
    of_upload = null_words(given.null_values)
    width = 10**6  # no limit: the upload was accepted
    try:
        text = text_file(source, folder, given, width, whole=False)
        columns = _spelled(text.layout, names)
        own = {name: nulls.of(name) for name in columns}
        cells = [clean_text(c, own[name]).alias(name) for name, c in columns.items()]
        for words in (seen_nulls(text, of_upload), of_upload):
            # rows in which every cell is one of `words` are left out
            known = [word for word in words if all(word in o for o in own.values())]
            rows = scan(text.path, text.layout, known, set(), blank=words)
            rows.select(cells).sink_parquet(
                target, compression="zstd", row_group_size=ROW_GROUP
            )
            yield text
    except pl.exceptions.PolarsError:
        pass
    text = text_file(source, folder, given, width, whole=True)
    every = target.with_name("every.parquet")
    columns = _spelled(text.layout, names)
    own = {columns[name]: words for name, words in nulls.own.items()}
    by_file = NullWords(nulls.common, own)
    write_raw(text.path, text.layout, by_file, set(text.layout.names), every)
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
