"""Decide whether the day or the month comes first, by all columns of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.columns.base import Candidate
from core.columns.time_formats import is_day_first, is_either
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat

_MONTHS = 12

Counted = Sequence[tuple[Candidate, int]]
"""The candidates of a column, and how many cells each one fits."""


def orders(columns: Mapping[str, Counted]) -> dict[str, bool]:
    """Return whether the day comes first, for columns that fit only one order."""
    best = {name: _best(counted) for name, counted in columns.items()}
    return {name: day > month for name, (day, month) in best.items() if day != month}


def stored_orders(
    formats: Mapping[str, ColumnFormat], table: pl.LazyFrame
) -> dict[str, bool]:
    """Return the same for stored columns of datetimes, by the days of their cells."""
    known = {name: order_of(form) for name, form in formats.items()}
    names = [name for name, order in known.items() if order is not None]
    if not names:
        return {}
    latest = table.select(pl.col(names).dt.day().max()).collect(engine="streaming")
    days = latest.row(0, named=True)
    return {name: bool(known[name]) for name in names if (days[name] or 0) > _MONTHS}


def _best(counted: Counted) -> tuple[int, int]:
    """Return how many cells are dates with the day first, and with the month first."""
    day, month = (
        max((count for c, count in counted if order_of(c.format) is first), default=0)
        for first in (True, False)
    )
    return day, month


def order_of(form: ColumnFormat) -> bool | None:
    """Return whether the day comes first; None if the format shows the order."""
    pattern = form.datetime or ""
    return is_day_first(pattern) if is_either(pattern) else None


def common_order(day_first: Mapping[str, bool]) -> bool | None:
    """Return the order that all proofs share; None without proof or if proofs differ."""
    found = set(day_first.values())
    return found.pop() if len(found) == 1 else None


def order_warnings(
    chosen: Candidate, counted: Counted, day_first: Mapping[str, bool]
) -> list[str]:
    """Return a warning if all cells of a column could be read in the other order."""
    order, pattern = order_of(chosen.format), chosen.format.datetime
    day, month = _best(counted)
    if order is None or day != month:
        return []
    if common_order(day_first) is None:
        return [f"the order of day and month is ambiguous; read as {pattern}"]
    return [f"day and month are in the order of {min(day_first)!r}: read as {pattern}"]


def agreeing(candidates: Iterable[Candidate], order: bool | None) -> list[bool]:
    """Return for each candidate whether it has the order that the table proves."""
    return [order is not None and order_of(c.format) is order for c in candidates]
