"""Columns that are the target in other words: a network would learn nothing else."""

from __future__ import annotations

from core.datasets.typed_table import TypedTable
from core.lazy import pl

COPY = "a copy of the target"
RENAMED = "one to one with the target"
UNIT = "the target in another unit"
"""An exact line: told and not left out, for it may be what the network shall learn."""

_SAMPLE = 20_000
_LEAST_ROWS = 10
_MOST_VALUES = 1_000
_EXACT = 1 - 1e-12


def find_copies(table: TypedTable, target: str, names: list[str]) -> dict[str, str]:
    """What the columns among `names` are that hold the target itself.

    Suspects of the first rows are looked at in all rows.
    """
    rows = table.scan()
    head = rows.select([target, *names]).head(_SAMPLE).collect()
    found = _relations(head, target, names)
    if not found or head.height < _SAMPLE:
        return found
    every = rows.select([target, *found]).collect(engine="streaming")
    return _relations(every, target, list(found))


def _relations(rows: pl.DataFrame, target: str, names: list[str]) -> dict[str, str]:
    found = {name: _relation(rows, target, name) for name in names}
    return {name: relation for name, relation in found.items() if relation is not None}


def _relation(rows: pl.DataFrame, target: str, name: str) -> str | None:
    pair = rows.select(
        pl.col(target).alias("target"), pl.col(name).alias("column")
    ).drop_nulls()
    if pair.height < _LEAST_ROWS or pair["target"].n_unique() < 2:
        return None
    if pair["target"].dtype == pair["column"].dtype and bool(
        (pair["target"] == pair["column"]).all()
    ):
        return COPY
    if pair["target"].dtype.is_float() and pair["column"].dtype.is_float():
        correlation = pair.select(pl.corr("target", "column")).item()
        if correlation is not None and abs(correlation) >= _EXACT:
            return UNIT
        return None
    return RENAMED if _is_renaming(pair) else None


def _is_renaming(pair: pl.DataFrame) -> bool:
    """Whether each value of one stands for one value of the other, and often."""
    values = pair["target"].n_unique()
    if values > min(_MOST_VALUES, pair.height // 5):
        return False
    return values == pair["column"].n_unique() == pair.unique().height
