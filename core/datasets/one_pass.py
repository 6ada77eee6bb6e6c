"""Convert a CSV to typed Parquet in a single pass, if its first rows show the types.

Types are planned from the first rows, and every cell is compared with the plan while it
is written. If a cell does not fit, the result is discarded, and the caller uses the slow
method (raw_table.py), which reads all cells before it decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.columns.base import LARGEST_EXACT, Hints, Stats
from core.columns.decide import decide_types
from core.columns.facts import Cells, ColumnFacts, Wanted
from core.columns.missing import NullWords
from core.datasets import statistics
from core.datasets.dialect import Layout
from core.datasets.late_codes import late_codes
from core.datasets.raw_table import (
    CELL_BYTES,
    ROW_GROUP,
    SAMPLE_ROWS,
    SMALL_CELLS,
    clean_text,
    finite,
    has_short,
    scan,
)
from core.datasets.text_file import TextFile
from core.lazy import pl
from fitserve.text_columns import type_of_texts

_PRESENT = "\x1fpresent "  # no CSV has a column of this name
_ODD = "\x1fodd"
_FEW_ROWS = 200


@dataclass(frozen=True)
class Written:
    """The columns of a written table, and their statistics."""

    columns: list[ColumnFacts]
    stats: list[Stats]


def write_typed(
    source: Path,
    layout: Layout,
    nulls: NullWords,
    wanted: Mapping[str, Wanted],
    hints: Hints,
    target: Path,
) -> Written | None:
    """Write the typed table to `target`. Return None if a cell contradicts the plan.

    `wanted` holds the types that are known, and `hints` those of the table.
    """
    try:
        raw = scan(source, layout, [], set()).head(SAMPLE_ROWS).collect()
        cells = raw.select([clean_text(n, nulls.of(n)) for n in layout.names])
        if not cells.height or not all(column.count() for column in cells):
            return None  # an empty column shows no type
        sample = Cells(cells.lazy(), is_small=True)
        plan = decide_types(sample, layout.names, wanted, hints)
        if any(fact.is_counted for fact in plan):
            return None  # the counts need all rows
        plain = {fact.name for fact in plan if fact.kind.is_plain(fact.format)}
        if cells.height == SAMPLE_ROWS and late_codes(source, layout, plain):
            return None
        nulls.noted(plan)
        table = _table(source, layout, nulls, raw, plan)
        num_rows = source.stat().st_size / _bytes_a_row(cells)
        written = write_plan(table, plan, target, num_rows, set(wanted))
    except pl.exceptions.PolarsError:
        return None
    is_short = len(plan) > 1 and written and written.stats[-1].missing
    return None if is_short and has_short(source, layout) else written


def seen_nulls(text: TextFile, nulls: list[str]) -> list[str]:
    """Return the words of `nulls` that occur in the first rows."""
    return _seen(
        scan(text.path, text.layout, [], set()).head(SAMPLE_ROWS).collect(), nulls
    )


def _seen(raw: pl.DataFrame, nulls: list[str]) -> list[str]:
    """Return the words of `nulls` that occur in `raw`: fewer words make polars faster."""
    texts: set[str | None] = set()
    for column in raw:
        # for a few rows, `unique` takes longer than the set
        texts.update((column if raw.height <= _FEW_ROWS else column.unique()).to_list())
    return [word for word in nulls if word in texts]


def _table(
    source: Path,
    layout: Layout,
    nulls: NullWords,
    raw: pl.DataFrame,
    plan: list[ColumnFacts],
) -> pl.LazyFrame:
    """Return the typed columns, then flags for the converted ones; `raw` has first rows.

    A flag is true if the cell held a text before its conversion.
    """
    numbers = {fact.name for fact in plan if fact.kind.is_plain(fact.format)}
    names = [fact.name for fact in plan if fact.name not in numbers]
    texts = {name: clean_text(name, nulls.of(name)) for name in names}
    blank, shared = _seen(raw, nulls.common), set(nulls.shared)
    seen = [word for word in blank if word in shared]
    cells = scan(source, layout, seen, numbers, blank=blank)
    cells = cells.with_columns(list(texts.values()))
    columns = [finite(f.name) if f.name in numbers else f.typed() for f in plan]
    return cells.select(*columns, *flags(plan, set(texts), numbers))


def flags(plan: list[ColumnFacts], texts: set[str], numbers: set[str]) -> list[pl.Expr]:
    """Return a flag for each converted text column: whether a cell held a text.

    The last flag is whether a row has a cell that needs a warning with a count.
    """
    found = [
        pl.col(fact.name).is_not_null().alias(f"{_PRESENT}{i}")
        for i, fact in enumerate(plan)
        if fact.name in texts and not fact.kind.is_text
    ]
    return [*found, _odd(plan, texts, numbers)]


def _odd(plan: list[ColumnFacts], texts: set[str], numbers: set[str]) -> pl.Expr:
    """Return whether a row has a cell that needs a warning with a count."""
    found = [pl.col(name).is_infinite() for name in numbers]
    for fact in plan:
        if fact.name not in texts and fact.name not in numbers:
            continue
        differs = fact.kind.differs(pl.col(fact.name), fact.format)
        found += [] if differs is None else [differs]
    return pl.any_horizontal(pl.lit(value=False), *found).alias(_ODD)


def _bytes_a_row(cells: pl.DataFrame) -> float:
    sizes = cells.select(pl.all().str.len_bytes().sum()).row(0)
    return float(sum(sizes)) / cells.height + cells.width


def write_plan(
    table: pl.LazyFrame,
    plan: list[ColumnFacts],
    target: Path,
    num_rows: float,
    given: set[str],
    *,
    is_typed: bool = False,
) -> Written | None:
    """Write the planned columns to `target`. Return None if a cell contradicts the plan.

    `given` names the columns whose type is known. If the file has types (`is_typed`), an
    empty column contradicts nothing, and the caller has checked the lengths of cells.
    """
    names = [fact.name for fact in plan]
    exprs = statistics.expressions(plan, num_rows)
    checks = [pl.col(f"^{_PRESENT}.*$").sum(), pl.col(_ODD).any()]
    row = write_and_compute(table, names, [*exprs, *checks], target, num_rows)
    counts = row.row(0, named=True)
    found = statistics.by_column(counts, plan, pl.scan_parquet(target))
    if counts[_ODD] or not _is_as_planned(found, counts):
        return None
    if not is_typed and not _are_cells(found):
        return None
    for fact, stats in zip(plan, found, strict=True):
        if fact.kind.is_text and fact.name not in given:
            choose_text_type(fact, stats)
    return Written(plan, found)


def write_and_compute(
    table: pl.LazyFrame,
    names: list[str],
    exprs: list[pl.Expr],
    target: Path,
    num_rows: float,
) -> pl.DataFrame:
    """Write the columns `names` to `target`; return the results of `exprs` over all."""
    if num_rows * len(names) <= SMALL_CELLS:
        frame = table.collect(engine="in-memory")
        frame.select(names).write_parquet(target, compression="zstd")
        return frame.lazy().select(exprs).collect(engine="in-memory")
    sink = table.select(names).sink_parquet(
        target, compression="zstd", row_group_size=ROW_GROUP, lazy=True
    )
    _, row = pl.collect_all([sink, table.select(exprs)], engine="streaming")
    return row


def _is_as_planned(found: list[Stats], counts: dict[str, Any]) -> bool:
    """Return whether every cell fits its type."""
    return all(
        counts.get(f"{_PRESENT}{i}", stats.present) == stats.present
        for i, stats in enumerate(found)
    )


def _are_cells(found: list[Stats]) -> bool:
    """Return whether every column has a value, and every cell is short enough."""
    for stats in found:
        if not stats.present or stats.nul or (stats.bytes or 0) > CELL_BYTES:
            return False
        if stats.whole and max(-stats.min, stats.max) >= LARGEST_EXACT:
            return False  # ids of so many digits are no numbers
    return True


def choose_text_type(fact: ColumnFacts, stats: Stats) -> None:
    """Set the type to categorical or text, by the counts over all rows."""
    fact.type = type_of_texts(stats.present, stats.unique, stats.length)
