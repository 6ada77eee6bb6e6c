"""Compare formats in which the same cell may have different values."""

from __future__ import annotations

from core.columns.day_order import are_swapped
from core.columns.time_numbers import counts_time
from fitserve.schemas.datasets import ColumnFormat


def means_the_same(one: ColumnFormat, other: ColumnFormat) -> bool:
    """Return whether a cell that both formats can read has one value.

    A currency sign or a month's name has one meaning. A percent sign, digits that count
    time, and a time without a zone have several, as the user decides.
    """
    if are_swapped(one.datetime, other.datetime):
        return False
    return _decided(one) == _decided(other)


def _decided(form: ColumnFormat) -> tuple[object, ...]:
    counted = form.datetime if counts_time(form) else None
    return form.percent, form.timezone, counted, form.null_values
