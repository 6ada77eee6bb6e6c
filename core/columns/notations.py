"""Find notations of cells that an old format reads, and a new one reads otherwise.

The class of the column's type reads examples of each notation of the old format in both
formats, and compares the values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from core.columns.base import ColumnKind
from core.columns.number_formats import TRAILING_MINUS
from core.columns.time_cells import patterns_of, write_time
from core.columns.time_numbers import counts_time
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat

_ZONE = timezone(timedelta(hours=2))
_MOMENTS = [
    datetime(2023, 4, 3, tzinfo=_ZONE),
    datetime(2023, 11, 25, 13, 45, 30, tzinfo=_ZONE),
    datetime(2060, 1, 1, tzinfo=_ZONE),
    datetime(1999, 7, 31, 23, tzinfo=_ZONE),
]
"""A day that could be a month, and years that two digits could mean otherwise."""
_JSON_NUMBERS = (20240131, 202401311345, 20240131134530, 1_700_000_000)
"""Dates as digits, and seconds since 1970."""


@dataclass(frozen=True)
class LostNotation:
    """A notation that is now refused, or has another value.

    Args:
        notation: the notation, such as `as %d.%m.%Y`.
        example: a cell in that notation.
        is_refused: whether the example is refused; otherwise it has another value.

    """

    notation: str
    example: str | float
    is_refused: bool


def lost_notation(
    kind: ColumnKind, old: ColumnFormat, new: ColumnFormat
) -> LostNotation | None:
    """Return the first notation of the format `old` that `new` reads otherwise."""
    if kind.is_text or old == new:
        return None
    texts = _times if kind.type == ColumnType.DATETIME else _numbers
    for notation, text in texts(old):
        value = kind.parse_cell(text, old)
        now = kind.parse_cell(text, new)
        if value is not None and now != value:
            return LostNotation(notation, text, is_refused=now is None)
    return _lost_number(kind, old, new)


def _lost_number(
    kind: ColumnKind, old: ColumnFormat, new: ColumnFormat
) -> LostNotation | None:
    """Return the notation of a JSON number that has another value now.

    A number may be a date, such as 20240131, or seconds.
    """
    for number in _JSON_NUMBERS:
        value, now = (kind.from_number(float(number), form) for form in (old, new))
        if value is not None and now != value:
            is_date = kind.converts_numbers(old)
            notation = f"as {old.datetime}" if is_date else "as seconds since 1970"
            return LostNotation(notation, number, is_refused=now is None)
    return None


def _times(form: ColumnFormat) -> Iterator[tuple[str, str]]:
    """Yield the notations of a format of datetimes, each with an example."""
    if counts_time(form):
        yield from _numbers(form)
        return
    zone = f" in the zone {form.timezone}" if form.timezone else ""
    for pattern in patterns_of(form):
        for moment in _MOMENTS:
            yield f"as {pattern}{zone}", write_time(moment, pattern)
    yield f"in ISO 8601{zone}", _MOMENTS[1].replace(tzinfo=None).isoformat()


def _numbers(form: ColumnFormat) -> Iterator[tuple[str, str]]:
    """Yield the notations of a format of numbers, each with an example."""
    point, mark = form.decimal, form.thousands
    for number in ("152{}8", "1{}234", "0{}5"):
        yield f"with {point!r} as decimal mark", number.format(point)
    if mark:
        text = f"1{mark}234{point}5"
        yield f"with {mark!r} between thousands", text
        groups = ("12", "34", "567") if form.groups == "indian" else ("1", "234", "567")
        yield f"with {mark!r} between thousands", mark.join(groups)
    yield from _signed(form)


def _signed(form: ColumnFormat) -> Iterator[tuple[str, str]]:
    """Yield the notations with signs, units and words, each with an example."""
    for sign in form.minus:
        text = "3-" if sign == TRAILING_MINUS else f"{sign}3"
        yield f"with {text!r} as -3", text
    for sign in form.affixes:
        text = "(3)" if sign == "()" else f"45 {sign}"
        yield f"with the sign {sign}", text
    if form.unit:
        yield f"with the unit {form.unit}", f"12 {form.unit}"
    for word in form.labels:
        yield f"with the word {word!r}", word
