"""Columns whose value alone decides the target: few instances will have them in time."""

from __future__ import annotations

from core.datasets.typed_table import TypedTable
from core.lazy import pl

_SAMPLE = 20_000
_MOST_VALUES = 1_000
_ROWS_A_VALUE = 5
"""On average; with fewer it may be chance."""


def find_deciding(
    table: TypedTable, target: str, unique: dict[str, int]
) -> dict[str, int]:
    """The columns, each value of which always comes with the same target; their values.

    `unique` holds the columns to look at, with their numbers of values. What copies.py
    finds is the special case where each target has one value only. Suspects of the first
    rows are looked at in all rows.
    """
    rows = table.scan().drop_nulls(target)
    num_rows = int(rows.select(pl.len()).collect().item())
    most = min(_MOST_VALUES, num_rows // _ROWS_A_VALUE)
    suspects = [name for name, n in unique.items() if 2 <= n <= most]
    head = rows.select([target, *suspects]).head(_SAMPLE).collect()
    found = _decide(head, target, suspects)
    if found and head.height == _SAMPLE:
        every = rows.select([target, *found]).collect(engine="streaming")
        found = _decide(every, target, found)
    return {name: unique[name] for name in found}


def _decide(rows: pl.DataFrame, target: str, names: list[str]) -> list[str]:
    """A missing cell is a value like any other."""
    if not names or rows[target].n_unique() < 2:
        return []
    most = [pl.col(target).n_unique().over(name).max().alias(name) for name in names]
    targets = rows.select(most).row(0, named=True)
    return [name for name in names if targets[name] == 1]
