"""A CSV to typed Parquet in a single pass, where its first rows tell the truth.

Types are planned from the first rows, and every cell is held against the plan while it is
written. One that does not fit, and nothing is lost but the pass: the caller goes the long
way (raw_table.py), which looks at all cells before it decides.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from core.columns.base import Stats
from core.columns.decide import Cells, ColumnFacts, decide_types
from core.datasets import statistics
from core.datasets.dialect import Layout
from core.datasets.given import hints, wanted
from core.datasets.raw_table import (
    CELL_BYTES,
    ROW_GROUP,
    SMALL_CELLS,
    clean_text,
    finite,
    has_short,
    scan,
)
from core.datasets.text_file import TextFile
from fitserve.specs.parsing import ParsingSpec
from fitserve.text_columns import type_of_texts

_SAMPLE_ROWS = 5_000
_PRESENT = "\x1fpresent "  # no column of a CSV is called so


@dataclass(frozen=True)
class Written:
    """The columns of a table that was written, and their statistics."""

    columns: list[ColumnFacts]
    stats: list[Stats]


def write_typed(
    source: Path, layout: Layout, nulls: list[str], given: ParsingSpec, target: Path
) -> Written | None:
    """Write the typed table to `target`; None if the plan does not hold."""
    try:
        raw = scan(source, layout, [], set()).head(_SAMPLE_ROWS).collect()
        cells = raw.select([clean_text(name, nulls) for name in layout.names])
        if not cells.height or not all(column.count() for column in cells):
            return None  # nothing to plan by
        plan = decide_types(
            Cells(cells.lazy(), is_small=True),
            layout.names,
            wanted(given),
            hints(given, layout),
        )
        if any(fact.format.strays for fact in plan):
            return None
        table = _table(source, layout, nulls, _seen(raw, nulls), plan)
        num_rows = source.stat().st_size / _bytes_a_row(cells)
        written = _write(table, plan, target, num_rows, set(given.types))
    except pl.exceptions.PolarsError:
        return None
    is_short = len(plan) > 1 and written and written.stats[-1].missing
    return None if is_short and has_short(source, layout) else written


def seen_nulls(text: TextFile, nulls: list[str]) -> list[str]:
    """Return the words for missing that occur in the first rows."""
    return _seen(
        scan(text.path, text.layout, [], set()).head(_SAMPLE_ROWS).collect(), nulls
    )


def _seen(raw: pl.DataFrame, nulls: list[str]) -> list[str]:
    """Return the words for missing that occur: to look for each of all takes time."""
    texts = {text for column in raw for text in column.drop_nulls().unique()}
    return [word for word in nulls if word in texts]


def _table(
    source: Path,
    layout: Layout,
    nulls: list[str],
    seen: list[str],
    plan: list[ColumnFacts],
) -> pl.LazyFrame:
    """The typed columns, and behind them whether what was converted had been there."""
    numbers = {fact.name for fact in plan if fact.kind.is_plain(fact.format)}
    texts = {f.name: clean_text(f.name, nulls) for f in plan if f.name not in numbers}
    cells = scan(source, layout, seen, numbers).with_columns(list(texts.values()))
    columns = [finite(f.name) if f.name in numbers else f.typed() for f in plan]
    columns += [
        pl.col(fact.name).is_not_null().alias(f"{_PRESENT}{i}")
        for i, fact in enumerate(plan)
        if fact.name in texts and not fact.kind.is_text
    ]
    return cells.select(columns)


def _bytes_a_row(cells: pl.DataFrame) -> float:
    sizes = cells.select(pl.all().str.len_bytes().sum()).row(0)
    return float(sum(sizes)) / cells.height + cells.width


def _write(
    table: pl.LazyFrame,
    plan: list[ColumnFacts],
    target: Path,
    num_rows: float,
    told: set[str],
) -> Written | None:
    names = [fact.name for fact in plan]
    wanted = statistics.expressions(plan, num_rows)
    present = pl.col(f"^{_PRESENT}.*$").sum()
    row = _both(table, names, [*wanted, present], target, num_rows)
    counts = row.row(0, named=True)
    found = statistics.by_column(counts, plan, pl.scan_parquet(target))
    if not _holds(found, counts):
        return None
    for fact, stats in zip(plan, found, strict=True):
        if fact.kind.is_text and fact.name not in told:
            _settle(fact, stats)
    return Written(plan, found)


def _both(
    table: pl.LazyFrame,
    names: list[str],
    wanted: list[pl.Expr],
    target: Path,
    num_rows: float,
) -> pl.DataFrame:
    """Write the columns of these names to `target`, and give what is wanted of all."""
    if num_rows * len(names) <= SMALL_CELLS:
        frame = table.collect(engine="in-memory")
        frame.select(names).write_parquet(target, compression="zstd")
        return frame.lazy().select(wanted).collect(engine="in-memory")
    sink = table.select(names).sink_parquet(
        target, compression="zstd", row_group_size=ROW_GROUP, lazy=True
    )
    _, row = pl.collect_all([sink, table.select(wanted)], engine="streaming")
    return row


def _holds(found: list[Stats], counts: dict[str, Any]) -> bool:
    """Whether no cell was lost on its way to its type, and none is huge."""
    for i, stats in enumerate(found):
        if not stats.present:
            return False
        if counts.get(f"{_PRESENT}{i}", stats.present) != stats.present:
            return False
        if stats.nul or (stats.bytes or 0) > CELL_BYTES:
            return False
    return True


def _settle(fact: ColumnFacts, stats: Stats) -> None:
    """Categories or text: only all rows tell, unless the uploader did."""
    fact.type = type_of_texts(stats.present, stats.unique, stats.length)
