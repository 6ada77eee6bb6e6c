"""Compute counts, extremes and means of columns in one pass."""

from __future__ import annotations

from typing import Any

from core.columns.base import Stats
from core.columns.facts import EXACT_ROWS, ColumnFacts, by_number
from core.datasets.raw_table import SMALL_CELLS
from core.lazy import pl

_MANY = 50_000
"""Estimates up to this many distinct values are replaced by exact counts."""


def expressions(facts: list[ColumnFacts], num_rows: float) -> list[pl.Expr]:
    """Return the expressions whose results `by_column` reads.

    The columns are typed, and have about `num_rows` rows.
    """
    exprs = [pl.len().alias("rows")]
    for i, fact in enumerate(facts):
        column = pl.col(fact.name)
        parts = {"missing": column.null_count(), **fact.kind.statistics(column)}
        parts["unique"] = _unique(fact.name, num_rows)
        exprs += [expr.alias(f"{i}.{name}") for name, expr in parts.items()]
    return exprs


def _unique(name: str, num_rows: float) -> pl.Expr:
    column = pl.col(name)
    if num_rows <= EXACT_ROWS:
        return column.drop_nulls().n_unique()
    # HyperLogLog needs little memory; counting null as a value is within its error
    return column.approx_n_unique()


def by_column(
    row: dict[str, Any], facts: list[ColumnFacts], table: pl.LazyFrame
) -> list[Stats]:
    """Return the statistics of each column, from the results of `expressions`.

    Texts with few distinct values are counted exactly in `table`, even in a long one.
    """
    num_rows = row["rows"]
    found = [Stats(rows=num_rows, **own) for own in by_number(row, len(facts))]
    if num_rows > EXACT_ROWS:
        _count_few(found, facts, table)
    return found


def _count_few(found: list[Stats], facts: list[ColumnFacts], table: pl.LazyFrame) -> None:
    few = {
        fact.name: stats
        for fact, stats in zip(facts, found, strict=True)
        if fact.kind.is_text and stats.unique <= _MANY
    }
    if not few:
        return
    exact = table.select([pl.col(name).drop_nulls().n_unique() for name in few])
    counts = exact.collect(engine="streaming").row(0, named=True)
    for name, stats in few.items():
        stats.unique = counts[name]


def of_table(table: pl.LazyFrame, facts: list[ColumnFacts]) -> list[Stats]:
    """Return the statistics of each column of a written table."""
    num_rows = table.select(pl.len()).collect().item()
    small = num_rows * len(facts) <= SMALL_CELLS
    engine: Any = "in-memory" if small else "streaming"
    row = table.select(expressions(facts, num_rows)).collect(engine=engine)
    return by_column(row.row(0, named=True), facts, table)
