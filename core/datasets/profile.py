"""What stands in each column of a typed table."""

from pathlib import Path
from typing import Any

import polars as pl

from core.datasets.column_types import ColumnFacts
from fitserve.schemas.datasets import ColumnRead, TopValue
from fitserve.statuses import ColumnType

_TOP = 5
_ORDERED = (ColumnType.NUMERIC, ColumnType.DATETIME)


def profile(table: Path, facts: list[ColumnFacts]) -> tuple[int, list[ColumnRead]]:
    """The number of rows and the profile of every column of the Parquet `table`."""
    frame = pl.scan_parquet(table)
    exprs: list[pl.Expr] = [pl.len().alias("rows")]
    for i, fact in enumerate(facts):
        exprs += _statistics(i, fact)
    stats = frame.select(exprs).collect(engine="streaming").row(0, named=True)
    return stats["rows"], [_column(i, fact, stats, frame) for i, fact in enumerate(facts)]


def _statistics(i: int, fact: ColumnFacts) -> list[pl.Expr]:
    column = pl.col(fact.name)
    exprs = [
        column.null_count().alias(f"{i}.missing"),
        column.drop_nulls().n_unique().alias(f"{i}.unique"),
    ]
    if fact.type in _ORDERED:
        exprs += [column.min().alias(f"{i}.min"), column.max().alias(f"{i}.max")]
    if fact.type == ColumnType.NUMERIC:
        exprs.append(column.mean().alias(f"{i}.mean"))
    return exprs


def _column(
    i: int, fact: ColumnFacts, stats: dict[str, Any], frame: pl.LazyFrame
) -> ColumnRead:
    return ColumnRead(
        name=fact.name,
        type=fact.type,
        missing=stats[f"{i}.missing"],
        unique=stats[f"{i}.unique"],
        min=_wire(stats.get(f"{i}.min")),
        max=_wire(stats.get(f"{i}.max")),
        mean=stats.get(f"{i}.mean"),
        top=[] if fact.type in _ORDERED else _top(frame, fact.name),
        warnings=_warnings(stats[f"{i}.unique"], fact.type),
    )


def _wire(value: Any) -> float | str | None:
    return value if value is None or isinstance(value, float) else value.isoformat()


def _top(frame: pl.LazyFrame, name: str) -> list[TopValue]:
    counts = (
        frame.select(pl.col(name).alias("value"))
        .drop_nulls()
        .group_by("value")
        .len("count")
        .sort(["count", "value"], descending=[True, False])
        .head(_TOP)
        .collect(engine="streaming")
    )
    return [
        TopValue(value=str(value)[:200], count=count) for value, count in counts.rows()
    ]


def _warnings(unique: int, kind: ColumnType) -> list[str]:
    if unique == 0:
        return ["every cell is missing; the column is left out of training"]
    if unique == 1:
        return ["every present cell is the same; the column is left out of training"]
    if kind in (ColumnType.TEXT, ColumnType.DATETIME):
        return [f"{kind} columns are left out of training unless typed otherwise"]
    return []


def read_slice(table: Path, offset: int, limit: int) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of a part of the Parquet `table`; times as ISO text."""
    frame = pl.scan_parquet(table).slice(offset, limit).collect()
    times = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    frame = frame.with_columns(pl.col(times).dt.to_string("iso:strict"))
    return frame.columns, [list(row) for row in frame.rows()]
