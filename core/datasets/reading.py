"""Convert an uploaded CSV to a typed table in Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.columns.base import Hints, Stats
from core.columns.decide import decide_types
from core.columns.facts import (
    Cells,
    ColumnFacts,
    Wanted,
    given_types,
    null_words_wanted,
)
from core.columns.misfits import refuse_misfits
from core.columns.missing import NullWords
from core.datasets import statistics
from core.datasets.expected import Expected
from core.datasets.null_words import count_null_words
from core.datasets.one_pass import Written, write_typed
from core.datasets.raw_table import ROW_GROUP, SMALL_CELLS, write_raw
from core.datasets.text_file import TextFile, no_values, text_file
from core.datasets.total_row import total_row_warnings
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.specs.parsing import ParsingSpec


@dataclass
class CsvReading:
    """The columns of a file, and how the file was parsed."""

    parsing: dict[str, Any]
    columns: list[ColumnFacts]
    stats: list[Stats]
    warnings: list[str] = field(default_factory=list)


def read_csv(
    source: Path,
    folder: Path,
    given: ParsingSpec,
    max_columns: int,
    expected: Expected | None = None,
) -> CsvReading:
    """Write the CSV at `source` as typed Parquet to `folder/table.parquet`.

    `expected` holds the columns of the version to which the CSV is appended. Raises
    InvalidTable if the CSV is empty, ragged, undecodable, or contradicts `given` or
    `expected`.
    """
    target = folder / "table.parquet"
    wanted = expected.wanted(given) if expected else given_types(given.types)
    nulls = null_words_wanted(given.null_values, wanted)
    # the first lines are nearly always enough; if not, every byte is read
    text = text_file(source, folder, given, max_columns, whole=False, expected=expected)
    hints = text.layout.hints(given.decimal)
    written = write_typed(text.path, text.layout, nulls, wanted, hints, target)
    if written is None:
        text = text_file(
            source, folder, given, max_columns, whole=True, expected=expected
        )
        hints = text.layout.hints(given.decimal)
        columns = _the_long_way(text, nulls, wanted, hints, target)
        written = Written(columns, statistics.of_table(pl.scan_parquet(target), columns))
    parsing = _parsing(text, nulls.common)
    missing, num_rows = [s.missing for s in written.stats], written.stats[0].rows
    count_null_words(text, given, nulls.common, written.columns, missing, num_rows)
    text.layout.warnings += total_row_warnings(text.path, text.layout)
    return CsvReading(parsing, written.columns, written.stats, text.layout.warnings)


def _the_long_way(
    text: TextFile,
    nulls: NullWords,
    wanted: Mapping[str, Wanted],
    hints: Hints,
    target: Path,
) -> list[ColumnFacts]:
    """Write the CSV as text, then decide the types from all cells."""
    raw, layout = target.with_name("raw.parquet"), text.layout
    # the fast parser supports neither decimal commas nor given types
    texts = set(wanted) if hints.decimal != "," else set(layout.names)
    text_names = write_raw(text.path, layout, nulls, texts, raw)
    return nulls.noted(_type(raw, text, text_names, wanted, hints, target))


def _type(
    raw: Path,
    text: TextFile,
    texts: list[str],
    wanted: Mapping[str, Wanted],
    hints: Hints,
    target: Path,
) -> list[ColumnFacts]:
    """Decide the types of the text columns, and write the table to `target`."""
    table, layout = pl.scan_parquet(raw), text.layout
    num_cells = table.select(pl.len()).collect().item() * len(layout.names)
    cells = Cells(table, is_small=num_cells <= SMALL_CELLS)
    decided = decide_types(cells, texts, wanted, hints)
    refuse_misfits(cells, wanted, decided)
    by_name = {facts.name: facts for facts in decided}
    columns = _kept_columns(table, text, by_name)
    is_changed = any(not facts.kind.is_text for facts in decided)
    if not is_changed and len(columns) == len(layout.names):
        raw.replace(target)
        return columns
    converted = [
        facts.typed() if facts.name in by_name else pl.col(facts.name)
        for facts in columns
    ]
    table.select(converted).sink_parquet(
        target, compression="zstd", row_group_size=ROW_GROUP
    )
    return columns


def _kept_columns(
    table: pl.LazyFrame, text: TextFile, decided: Mapping[str, ColumnFacts]
) -> list[ColumnFacts]:
    """Return the columns without those that have neither a name nor a cell.

    Raises InvalidTable if no column has a cell.
    """
    empty, layout = _empty(table), text.layout
    if len(empty) == len(layout.names):
        raise no_values(text.path)
    dropped = empty & layout.made_up
    if dropped:
        layout.warnings.append(f"{len(dropped)} unnamed, empty column(s) are ignored")
    return [
        decided.get(name) or ColumnFacts(name, ColumnType.NUMERIC)
        for name in layout.names
        if name not in dropped
    ]


def _empty(table: pl.LazyFrame) -> set[str]:
    """Return the names of columns without a cell."""
    counts = table.select(pl.all().count()).collect(engine="streaming").row(0, named=True)
    return {name for name, count in counts.items() if not count}


def _parsing(text: TextFile, nulls: list[str]) -> dict[str, Any]:
    layout = text.layout
    if text.encoding.is_guessed:
        layout.warnings.append(
            f"the file is not UTF-8 and was read as {text.encoding.name}; if letters "
            "look wrong, set its `encoding`"
        )
    return {**text.parsing(), "null_values": nulls}
