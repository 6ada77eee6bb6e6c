"""Read columns of an uploaded CSV again, with types that differ from the stored ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.columns.base import Hints
from core.columns.cells import null_words, plain_name
from core.columns.decide import decide_types
from core.columns.facts import Cells, ColumnFacts, Wanted, null_words_wanted
from core.columns.missing import NullWords
from core.datasets.dialect import Layout
from core.datasets.null_words import count_null_words
from core.datasets.one_pass import seen_nulls
from core.datasets.raw_table import (
    ROW_GROUP,
    SMALL_CELLS,
    clean_text,
    scan,
    write_raw,
)
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


@dataclass(frozen=True)
class Uploaded:
    """A file that was uploaded, and how it was read.

    Args:
        source: the file.
        given: the options of the upload.
        parsing: the layout that the upload reported.
        num_rows: the number of rows of the stored table.

    """

    source: Path
    given: ParsingSpec
    parsing: dict[str, Any]
    num_rows: int

    @property
    def format(self) -> FileFormat:
        """Return the format of the file."""
        return stored_format(self.parsing)

    @property
    def nulls(self) -> list[str]:
        """Return the words that mean "missing"."""
        return null_words(self.given.null_values)

    def nulls_of(self, wanted: Mapping[str, Wanted]) -> NullWords:
        """Return the words that mean "missing" in the columns to read."""
        return null_words_wanted(self.given.null_values, wanted)

    def text_file(self, folder: Path, *, whole: bool) -> TextFile:
        """Return the file in UTF-8, with the layout of the upload."""
        return text_file(
            self.source, folder, self.given, _NO_LIMIT, whole=whole, known=self.parsing
        )


def stored_format(parsing: Mapping[str, Any]) -> FileFormat:
    """Return the format of an upload; datasets of earlier releases are CSVs."""
    return FileFormat(parsing.get("format", FileFormat.CSV))


def read_again(
    upload: Uploaded,
    folder: Path,
    wanted: Mapping[str, Wanted],
    day_first: Mapping[str, bool],
) -> Reread:
    """Read the columns in `wanted` from the uploaded file; write them to `folder`.

    `day_first` holds the orders of day and month that other columns prove. Raises
    InvalidTable if a wanted type fits no cell of its column.
    """
    if upload.format != FileFormat.CSV:
        return _from_typed(upload, folder, wanted, day_first)
    raw = folder / "again.parquet"
    nulls = upload.nulls_of(wanted)
    text = _write_text(upload, folder, _words(nulls, wanted), raw)
    table = pl.scan_parquet(raw)
    cells = Cells(table, is_small=upload.num_rows * len(wanted) <= SMALL_CELLS)
    hints = replace(text.layout.hints(upload.given.decimal), day_first=day_first)
    columns = nulls.noted(decide_types(cells, list(wanted), wanted, hints))
    typed = folder / "typed.parquet"
    table.select(fact.typed() for fact in columns).sink_parquet(
        typed, compression="zstd", row_group_size=ROW_GROUP
    )
    others = [fact for fact in columns if not wanted[fact.name].words]
    cells_of = pl.scan_parquet(typed).select(fact.name for fact in others)
    missing = cells_of.null_count().collect().row(0) if others else ()
    count_null_words(text, upload.given, upload.nulls, others, missing, upload.num_rows)
    return Reread(typed, columns)


def count_words(upload: Uploaded, folder: Path, name: str) -> dict[str, int]:
    """Return how often each word that means "missing" occurs in a column."""
    raw = folder / "words.parquet"
    words = [word for word in upload.nulls if word]
    _write_text(upload, folder, {name: [""]}, raw)
    cells = pl.scan_parquet(raw).filter(pl.col(name).is_in(words))
    counts = cells.group_by(name).len("count").sort(name).collect(engine="streaming")
    return dict(counts.rows())


def _from_typed(
    upload: Uploaded,
    folder: Path,
    wanted: Mapping[str, Wanted],
    day_first: Mapping[str, bool],
) -> Reread:
    hints = Hints(decimal=upload.given.decimal, day_first=day_first, is_typed=True)
    typed = folder / "typed.parquet"
    with readable(upload.format):
        source = open_typed(
            upload.source, folder, upload.format, upload.given, _NO_LIMIT
        ).only(set(wanted))
        nulls = upload.nulls_of(wanted)
        own = {**nulls.own, **_words(nulls, _with_words(wanted))}
        source = replace(source.measured(), own_nulls=own)
        columns = nulls.noted(write_texts(source, wanted, hints, typed))
    return Reread(typed, columns)


def _with_words(wanted: Mapping[str, Wanted]) -> dict[str, Wanted]:
    return {name: want for name, want in wanted.items() if want.words}


Words = Mapping[str, list[str]]
"""The words that mean "missing" in each column to read."""


def _words(nulls: NullWords, wanted: Mapping[str, Wanted]) -> Words:
    return {
        name: [word for word in nulls.of(name) if word not in want.words]
        for name, want in wanted.items()
    }


def _write_text(upload: Uploaded, folder: Path, columns: Words, target: Path) -> TextFile:
    """Write the columns as trimmed text, in the rows of the upload."""
    for text in _attempts(upload, folder, columns, target):
        held = pl.scan_parquet(target).select(pl.len()).collect().item()
        if held == upload.num_rows:
            return text
    raise InvalidTable(
        f"This release reads {held:,} rows in the file, but the upload had "
        f"{upload.num_rows:,}. Upload the file again, with these types."
    )


def _attempts(
    upload: Uploaded, folder: Path, columns: Words, target: Path
) -> Iterator[TextFile]:
    """Write the columns once for each way in which the upload may have been read.

    The caller stops at the first one with the right number of rows.
    """
    nulls = upload.nulls
    try:
        text = upload.text_file(folder, whole=False)
        for words in (seen_nulls(text, nulls), nulls):
            # rows in which every cell is one of `words` are left out
            rows = _rows(text, words, columns)
            rows.sink_parquet(target, compression="zstd", row_group_size=ROW_GROUP)
            yield text
    except pl.exceptions.PolarsError:
        pass
    text = upload.text_file(folder, whole=True)
    every = target.with_name("every.parquet")
    names = _spelled(text.layout, list(columns))
    own = {names[name]: words for name, words in columns.items()}
    in_file = NullWords(nulls, own)
    write_raw(text.path, text.layout, in_file, set(text.layout.names), every)
    cells = _cells(text.layout, columns)
    pl.scan_parquet(every).select(cells).sink_parquet(target, compression="zstd")
    yield text


def _rows(text: TextFile, words: list[str], columns: Words) -> pl.LazyFrame:
    """Return the columns, without the rows in which every cell is in `words`."""
    # polars replaces words in every column, so only those that are missing in each
    known = [word for word in words if all(word in own for own in columns.values())]
    rows = scan(text.path, text.layout, known, set(), blank=words)
    return rows.select(_cells(text.layout, columns))


def _cells(layout: Layout, columns: Words) -> list[pl.Expr]:
    names = _spelled(layout, list(columns))
    return [clean_text(names[name], words).alias(name) for name, words in columns.items()]


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
