"""Describe each column of a typed table, and read a part of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.columns.base import Stats
from core.columns.facts import ColumnFacts
from core.columns.near_duplicates import near_duplicates
from core.datasets.histograms import histograms
from core.datasets.null_words import null_word_warnings
from core.datasets.table_warnings import of_kind
from core.lazy import pl
from fitserve.enums import ColumnType, WarningKind
from fitserve.schemas.datasets import ColumnRead, Histogram, TopValue

_TOP = 5


def profile(
    table: Path, facts: list[ColumnFacts], stats: list[Stats]
) -> list[ColumnRead]:
    """Return the profile of every column of the Parquet `table`."""
    return profile_rows(pl.scan_parquet(table), facts, stats)


def profile_rows(
    frame: pl.LazyFrame, facts: list[ColumnFacts], stats: list[Stats]
) -> list[ColumnRead]:
    """Return the profile of every column of a table, without all its rows in memory."""
    found = histograms(frame, facts, stats)
    pairs = zip(facts, stats, strict=True)
    return [_column(fact, own, frame, found.get(fact.name)) for fact, own in pairs]


def _column(
    fact: ColumnFacts, stats: Stats, frame: pl.LazyFrame, histogram: Histogram | None
) -> ColumnRead:
    left_out = _left_out(fact, stats, frame)
    reason = [] if left_out is None else [f"{left_out}; left out of training"]
    counts = None if fact.kind.is_ordered else _counts(frame, fact.name)
    warnings = [
        *of_kind(WarningKind.READING, fact.warnings),
        *of_kind(WarningKind.APPENDED, fact.about_append),
        *of_kind(WarningKind.NULL_WORDS, null_word_warnings(fact.null_words or {})),
        *of_kind(WarningKind.ALIKE, _alike(fact, counts)),
        *of_kind(WarningKind.SPELLINGS, fact.spellings),
        *of_kind(WarningKind.LEFT_OUT, reason),
    ]
    return ColumnRead(
        name=fact.name,
        type=fact.type,
        format=fact.format,
        missing=stats.missing,
        unique=stats.unique,
        min=_wire(stats.min),
        max=_wire(stats.max),
        mean=stats.mean,
        histogram=histogram,
        top=[] if counts is None else _top(counts),
        left_out=left_out,
        null_words=fact.null_words,
        warnings=[warning.text for warning in warnings],
        warning_kinds=[warning.kind for warning in warnings],
    )


def _wire(value: Any) -> float | str | None:
    return value if value is None or isinstance(value, float) else value.isoformat()


def _alike(fact: ColumnFacts, counts: pl.DataFrame | None) -> list[str]:
    """Return the warning about categories that are probably the same."""
    if counts is None or fact.type != ColumnType.CATEGORICAL:
        return []
    return near_duplicates(counts)


def _counts(frame: pl.LazyFrame, name: str) -> pl.DataFrame:
    """Return the values of a column and how often each occurs."""
    counts = frame.select(pl.col(name).alias("value")).drop_nulls().group_by("value")
    return counts.len("count").collect(engine="streaming")


def _top(counts: pl.DataFrame) -> list[TopValue]:
    ordered = counts.sort(["count", "value"], descending=[True, False]).head(_TOP)
    return [
        TopValue(value=str(value)[:200], count=count) for value, count in ordered.rows()
    ]


def _left_out(fact: ColumnFacts, stats: Stats, frame: pl.LazyFrame) -> str | None:
    """Return the reason why a network cannot learn from the column; None if it can."""
    if stats.present == 0:
        return "every cell is missing"
    if stats.unique == 1:
        # if some cells are missing, a network can learn from the missing cells
        return "constant" if stats.missing == 0 else None
    return fact.kind.left_out(fact.name, stats, frame)


def read_slice(table: Path, offset: int, limit: int) -> tuple[list[str], list[list[Any]]]:
    """Return column names and `limit` rows of the Parquet `table`; times as ISO text."""
    return slice_rows(pl.scan_parquet(table), offset, limit)


def slice_rows(
    rows: pl.LazyFrame, offset: int, limit: int
) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns and `limit` rows; times as ISO text."""
    frame = rows.slice(offset, limit).collect()
    times = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    frame = frame.with_columns(pl.col(times).dt.to_string("iso:strict"))
    return frame.columns, [list(row) for row in frame.rows()]
