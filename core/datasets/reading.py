"""Convert an uploaded CSV to a typed table in Parquet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.columns.base import Stats
from core.columns.decide import decide_types
from core.columns.facts import Cells, ColumnFacts, given_types
from core.columns.missing import NullWords, words_of_upload
from core.datasets import statistics
from core.datasets.dialect import Layout
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
    source: Path, folder: Path, given: ParsingSpec, max_columns: int
) -> CsvReading:
    """Write the CSV at `source` as typed Parquet to `folder/table.parquet`.

    Raises InvalidTable if the CSV is empty, ragged, undecodable, or contradicts `given`.
    """
    target = folder / "table.parquet"
    nulls = words_of_upload(given)
    # the first lines are nearly always enough; if not, every byte is read
    text = text_file(source, folder, given, max_columns, whole=False)
    written = write_typed(text.path, text.layout, nulls, given, target)
    if written is None:
        text = text_file(source, folder, given, max_columns, whole=True)
        columns = _the_long_way(text.path, text.layout, nulls, given, target)
        written = Written(columns, statistics.of_table(pl.scan_parquet(target), columns))
    parsing = _parsing(text, nulls.common)
    count_null_words(text, given, nulls.common, written.columns, written.stats)
    text.layout.warnings += total_row_warnings(text.path, text.layout)
    return CsvReading(parsing, written.columns, written.stats, text.layout.warnings)


def _the_long_way(
    plain: Path, layout: Layout, nulls: NullWords, given: ParsingSpec, target: Path
) -> list[ColumnFacts]:
    """Write the CSV as text, then decide the types from all cells."""
    raw = target.with_name("raw.parquet")
    # the fast parser supports neither decimal commas nor given types
    texts = set(given.types) if given.decimal != "," else set(layout.names)
    text_names = write_raw(plain, layout, nulls, texts, raw)
    return nulls.noted(_type(plain, raw, layout, text_names, given, target))


def _type(
    plain: Path,
    raw: Path,
    layout: Layout,
    texts: list[str],
    given: ParsingSpec,
    target: Path,
) -> list[ColumnFacts]:
    """Decide the types of the text columns, and write the table to `target`."""
    table = pl.scan_parquet(raw)
    num_cells = table.select(pl.len()).collect().item() * len(layout.names)
    cells = Cells(table, is_small=num_cells <= SMALL_CELLS)
    decided = decide_types(
        cells, texts, given_types(given.types), layout.hints(given.decimal)
    )
    by_name = {facts.name: facts for facts in decided}
    empty = _empty(table)
    if len(empty) == len(layout.names):
        raise no_values(plain)
    dropped = empty & layout.made_up
    if dropped:
        layout.warnings.append(f"{len(dropped)} unnamed, empty column(s) are ignored")
    columns = [
        by_name.get(name) or ColumnFacts(name, ColumnType.NUMERIC)
        for name in layout.names
        if name not in dropped
    ]
    changed = [facts for facts in decided if not facts.kind.is_text]
    if not changed and not dropped:
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


def _empty(table: pl.LazyFrame) -> set[str]:
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
