"""What stands in each column of a typed table."""

import re
from pathlib import Path
from typing import Any

import polars as pl

from core.datasets import statistics
from core.datasets.column_types import ColumnFacts
from fitserve.schemas.datasets import ColumnRead, TopValue
from fitserve.statuses import ColumnType

_TOP = 5
_ID_NAME = re.compile(
    r"(^|[^a-z])(id|uuid|guid|key|rownames?|row|index|idx|nr|no|obs|serial|#)\W*$"
    r"|^column_1$|^unnamed|^$",
    re.IGNORECASE,
)
_LEAST_FOR_IDS = 20


def profile(
    table: Path, facts: list[ColumnFacts], stats: list[statistics.Stats]
) -> list[ColumnRead]:
    """The profile of every column of the Parquet `table`, from its statistics."""
    frame = pl.scan_parquet(table)
    pairs = zip(facts, stats, strict=True)
    return [_column(fact, own, frame) for fact, own in pairs]


def _column(fact: ColumnFacts, stats: dict[str, Any], frame: pl.LazyFrame) -> ColumnRead:
    left_out = _left_out(fact, stats, frame)
    told = [] if left_out is None else [f"{left_out}; left out of training"]
    return ColumnRead(
        name=fact.name,
        type=fact.type,
        format=fact.format,
        missing=stats["missing"],
        unique=stats["unique"],
        min=_wire(stats.get("min")),
        max=_wire(stats.get("max")),
        mean=stats.get("mean"),
        top=[] if fact.type in statistics.ORDERED else _top(frame, fact.name),
        left_out=left_out,
        warnings=[*fact.warnings, *told],
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


def _left_out(
    fact: ColumnFacts, stats: dict[str, Any], frame: pl.LazyFrame
) -> str | None:
    """Why the column tells a network nothing, if so."""
    present = stats["rows"] - stats["missing"]
    if present == 0:
        return "every cell is missing"
    if stats["unique"] == 1:
        # where some are missing, being present may tell something
        return "constant" if stats["missing"] == 0 else None
    if fact.type == ColumnType.TEXT:
        return _why_text(stats, present)
    if fact.type == ColumnType.NUMERIC and stats["whole"] and not stats["missing"]:
        return _why_number(fact.name, stats, frame)
    return None


def _why_text(stats: dict[str, Any], present: int) -> str:
    if stats["length"] > 40:
        return "free text"
    if stats["unique"] >= 0.9 * present:
        return "an id or a name: nearly every row has a value of its own"
    return f"text with {stats['unique']:,} values, too many for categories"


def _why_number(name: str, stats: dict[str, Any], frame: pl.LazyFrame) -> str | None:
    """By its name too: whole numbers that all differ may tell much, as a year does."""
    rows = stats["rows"]
    has_id_name = _ID_NAME.search(name) or name.endswith(("Id", "ID"))
    if rows < _LEAST_FOR_IDS or not has_id_name or stats["unique"] < rows:
        return None
    if stats["min"] in (0, 1) and stats["max"] - stats["min"] + 1 == rows:
        steps = frame.select((pl.col(name).diff().drop_nulls() == 1).all())
        if steps.collect(engine="streaming").item():
            return "a row number"
    return "an id: every row has a value of its own"


def read_slice(table: Path, offset: int, limit: int) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of a part of the Parquet `table`; times as ISO text."""
    frame = pl.scan_parquet(table).slice(offset, limit).collect()
    times = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    frame = frame.with_columns(pl.col(times).dt.to_string("iso:strict"))
    return frame.columns, [list(row) for row in frame.rows()]
