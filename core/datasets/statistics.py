"""Compute counts, extremes and means of columns in one pass."""

from __future__ import annotations

from typing import Any

from core.columns.base import Stats
from core.columns.facts import EXACT_ROWS, ColumnFacts, by_number
from core.datasets.raw_table import SMALL_CELLS
from core.lazy import pl

_COLUMNS_AT_ONCE = 8
_NOT_COUNTED = -1
_MANY = 50_000
"""Estimates up to this many distinct values are replaced by exact counts."""


def expressions(facts: list[ColumnFacts], num_rows: float) -> list[pl.Expr]:
    """Return the expressions whose results `by_column` reads.

    The columns are typed, and have about `num_rows` rows.
    """
    exprs = [pl.len().alias("rows")]
    is_small = num_rows * len(facts) <= SMALL_CELLS
    for i, fact in enumerate(facts):
        column = pl.col(fact.name)
        parts = {"missing": column.null_count(), **fact.kind.statistics(column)}
        if is_small:
            parts["unique"] = column.drop_nulls().n_unique()
        elif num_rows > EXACT_ROWS:
            # HyperLogLog needs little memory; null as a value is within its error
            parts["unique"] = column.approx_n_unique()
        exprs += [expr.alias(f"{i}.{name}") for name, expr in parts.items()]
    return exprs


def by_column(
    row: dict[str, Any], facts: list[ColumnFacts], table: pl.LazyFrame
) -> list[Stats]:
    """Return the statistics of each column, from the results of `expressions`.

    Distinct values that were not counted, and texts with few in a long table, are counted
    exactly in `table`.
    """
    num_rows = row["rows"]
    of_facts = by_number(row, len(facts))
    found = [Stats(**{"rows": num_rows, "unique": _NOT_COUNTED, **o}) for o in of_facts]
    inexact = {
        fact.name: stats
        for fact, stats in zip(facts, found, strict=True)
        if stats.unique == _NOT_COUNTED
        or (num_rows > EXACT_ROWS and fact.kind.is_text and stats.unique <= _MANY)
    }
    for name, count in _count_distinct(table, list(inexact)).items():
        inexact[name].unique = count
    return found


def _count_distinct(table: pl.LazyFrame, names: list[str]) -> dict[str, int]:
    """Count the distinct values of a few columns at a time.

    polars holds all selected columns once for each column in which it counts.
    """
    found: dict[str, int] = {}
    for first in range(0, len(names), _COLUMNS_AT_ONCE):
        part = names[first : first + _COLUMNS_AT_ONCE]
        counts = table.select([pl.col(name).drop_nulls().n_unique() for name in part])
        found |= counts.collect(engine="streaming").row(0, named=True)
    return found


def of_table(table: pl.LazyFrame, facts: list[ColumnFacts]) -> list[Stats]:
    """Return the statistics of each column of a written table."""
    num_rows = table.select(pl.len()).collect().item()
    small = num_rows * len(facts) <= SMALL_CELLS
    engine: Any = "in-memory" if small else "streaming"
    row = table.select(expressions(facts, num_rows)).collect(engine=engine)
    return by_column(row.row(0, named=True), facts, table)
