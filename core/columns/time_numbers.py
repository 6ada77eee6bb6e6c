"""Read numbers that count time: seconds since 1970, or days as Excel stores them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from core.columns.number_formats import is_number, parse_number, parse_numbers
from core.columns.time_zones import cell_in_utc, column_in_utc, local_time
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.time_pattern import EPOCHS, EXCEL_DAYS, has_zone

_DAY = 86_400_000_000
_EXCEL_1970 = 25_569
"""The number of 1970-01-01 in Excel, which counts from 1899-12-30 (from March 1900)."""
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds since 1970 of the years 1 and 9999, the first and the last of Python."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  the zone is the column's
_DIGITS = re.compile(r"(?:%[YymdHMS])+")


def counts_time(form: ColumnFormat) -> bool:
    """Return whether the cells of a column are numbers that count time."""
    return form.datetime in (*EPOCHS, EXCEL_DAYS)


def is_digits(pattern: str) -> bool:
    """Return whether datetimes of a pattern are digits only, such as 20240131."""
    return _DIGITS.fullmatch(pattern) is not None


def num_digits(pattern: str) -> int:
    """Return how many digits a datetime of such a pattern has."""
    return pattern.count("%") * 2 + 2 * ("%Y" in pattern)


def times_of_numbers(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells as UTC datetimes without a zone; null where a cell does not fit."""
    first, unit = _scale(form)
    number = pl.when(is_number(text, form)).then(parse_numbers(text, form))
    micros = ((number - first) * unit + 0.5).floor()
    is_known = micros.is_between(_FIRST, _LAST)
    whole = pl.when(is_known).then(micros).cast(pl.Int64, strict=False)
    return column_in_utc(whole.cast(pl.Datetime("us")), form.datetime or "", form)


def time_in_number(text: str, form: ColumnFormat) -> float | None:
    """Return the seconds since 1970 of one cell; None if it is not such a number."""
    number = parse_number(text, form)
    return None if number is None else time_of_number(number, form)


def time_of_number(number: float, form: ColumnFormat) -> float | None:
    """Return the seconds since 1970 of one number; None if the year is not 1 to 9999."""
    first, unit = _scale(form)
    if not math.isfinite(number):
        return None
    micros = math.floor((number - first) * unit + 0.5)
    if not _FIRST <= micros <= _LAST:
        return None
    if form.timezone is None or has_zone(form.datetime or ""):
        return micros / 1e6
    moment = cell_in_utc(_EPOCH + timedelta(microseconds=micros), form)
    return None if moment is None else moment.timestamp()


def number_at(moment: datetime, form: ColumnFormat) -> float:
    """Return the number that a column has for a moment."""
    first, unit = _scale(form)
    return (local_time(moment, form) - _EPOCH) / timedelta(microseconds=1) / unit + first


def _scale(form: ColumnFormat) -> tuple[float, float]:
    """Return the number of 1970-01-01, and the microseconds of one unit."""
    if form.datetime == EXCEL_DAYS:
        return _EXCEL_1970, _DAY
    return 0.0, float(EPOCHS[form.datetime or ""])
