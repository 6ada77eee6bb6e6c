"""Parse dates and times: whole columns with polars, one cell with Python."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from core.columns.time_numbers import (
    counts_time,
    is_digits,
    num_digits,
    time_in_number,
    times_of_numbers,
)
from core.columns.time_zones import cell_in_utc, column_in_utc
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.time_pattern import has_zone

_WEEKDAY = (
    r"(?i)\(?\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b"
    r"\.?\)?,?\s*"
)
COMPACT = {"%Y%m%d": 8, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
"""Patterns of digits only, and how many there are."""
_MONTHS = ("%m", "%b", "%B")
_QUARTER = "%q"
_MIDNIGHT = "24:%M"
"""An hour 24 is midnight of the next day."""
_MIDNIGHT_LOOK = r"\b24:00"
_LAST_TWO_DIGITS = 69
"""`69` and smaller years are of this century, unless the format has a first year."""


def patterns_of(form: ColumnFormat) -> list[str]:
    """Return the patterns of a column's cells, in the order in which they are tried."""
    return [pattern for pattern in (form.datetime, *form.other_datetimes) if pattern]


def is_time(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return whether cells are times in this format."""
    return parse_times(text, form).is_not_null()


def parse_times(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells as UTC datetimes without a zone; null where a cell does not fit."""
    if counts_time(form):
        return times_of_numbers(text, form)
    found = [_parsed(text, pattern, form) for pattern in patterns_of(form)]
    if not found:  # a column without a cell
        found = [_parsed(text.str.head(0), "%Y-%m-%d", form)]
    return found[0] if len(found) == 1 else pl.coalesce(found)


def _parsed(text: pl.Expr, pattern: str, form: ColumnFormat) -> pl.Expr:
    is_quarter = _QUARTER in pattern
    moment = _quarters(text, pattern) if is_quarter else _moments(text, pattern)
    if form.first_year is not None and "%y" in pattern:
        late = moment.dt.year() >= form.first_year + 100
        moment = pl.when(late).then(moment.dt.offset_by("-100y")).otherwise(moment)
    moment = column_in_utc(moment, pattern, form)
    # Python has no years before 1 or after 9999
    return pl.when(moment.dt.year().is_between(1, 9999)).then(moment)


def _moments(text: pl.Expr, pattern: str) -> pl.Expr:
    plain, changes = _prepared(pattern)
    for look, target in changes:
        text = text.str.replace(look, target)
    if _MIDNIGHT in pattern:
        text = pl.when(text.str.contains(_MIDNIGHT_LOOK)).then(
            text.str.replace("24:", "00:")
        )
    start, whole = completed(plain)
    moment = pl.concat_str(pl.lit(start), text).str.to_datetime(
        whole.replace(".%f", "%.f"), strict=False, time_unit="us"
    )
    moment = moment.dt.replace_time_zone(None) if "%z" in pattern else moment
    return moment.dt.offset_by("1d") if _MIDNIGHT in pattern else moment


def _prepared(pattern: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a pattern for Python and polars, and replacements that make cells fit it.

    Neither checks the name of a weekday, and fractions of a second have a point.
    """
    changes = []
    if re.search("%[aA]", pattern):
        changes += [(_WEEKDAY, ""), (r"^\s+|\s+$", "")]
        pattern = re.sub(r"\(?%[aA]\)?,?\s*", "", pattern)
    if ",%f" in pattern:
        changes.append((r"(:[0-9]{2}),([0-9])", "$1.$2"))
        pattern = pattern.replace(",%f", ".%f")
    if "%z" in pattern:
        changes.append((r"([+-][0-9]{2})( UTC)?$", "$1:00$2"))
    return pattern.strip().replace(_MIDNIGHT, "%H:%M"), changes


def _quarters(text: pl.Expr, pattern: str) -> pl.Expr:
    look = quarter_look(pattern)
    year = text.str.extract(look.replace("(?P<quarter>[1-4])", "[1-4]"))
    quarter = text.str.extract(look.replace("(?P<year>", "(?:"))
    years = year.cast(pl.Int32, strict=False)
    if "%y" in pattern:
        old = years > _LAST_TWO_DIGITS
        years = years + pl.when(old).then(1900).otherwise(2000)
    years = pl.when(years > 0).then(years)
    return pl.datetime(years, quarter.cast(pl.Int8, strict=False) * 3 - 2, 1)


def quarter_look(pattern: str) -> str:
    """Return the regular expression of a quarter, with groups `quarter` and `year`."""
    look = re.escape(pattern.replace("Q", "q")).replace("q", "[qQ]")
    look = look.replace("%[qQ]", "(?P<quarter>[1-4])")
    look = look.replace("%Y", "(?P<year>[0-9]{4})").replace("%y", "(?P<year>[0-9]{2})")
    return f"^{look}$"


def parse_time(text: str, form: ColumnFormat) -> float | None:
    """Return one trimmed cell as seconds since 1970 (UTC); None if it is not a time.

    The column's patterns are tried first, then ISO 8601. A time without a zone is of the
    column's zone, or else UTC.
    """
    if counts_time(form):
        seconds = time_in_number(text, form)
        return _seconds(_iso(text), form) if seconds is None else seconds
    for pattern in patterns_of(form):
        if (moment := _time_in(text, pattern, form)) is not None:
            is_utc = has_zone(pattern) and moment.tzinfo is None  # such as `Z`
            return _seconds(moment.replace(tzinfo=UTC) if is_utc else moment, form)
    return _seconds(_iso(text), form)


def _seconds(moment: datetime | None, form: ColumnFormat) -> float | None:
    found = None if moment is None else cell_in_utc(moment, form)
    return None if found is None else found.timestamp()


def _time_in(text: str, pattern: str, form: ColumnFormat) -> datetime | None:
    is_quarter = _QUARTER in pattern
    try:
        moment = _quarter(text, pattern) if is_quarter else _strptime(text, pattern)
    except (ValueError, OverflowError):
        return None
    if moment is None or form.first_year is None or "%y" not in pattern:
        return moment
    return _a_century_back(moment) if moment.year >= form.first_year + 100 else moment


def _quarter(text: str, pattern: str) -> datetime | None:
    found = re.match(quarter_look(pattern), text)
    if found is None:
        return None
    year = int(found["year"])
    if "%y" in pattern:
        year += 1900 if year > _LAST_TWO_DIGITS else 2000
    return datetime(year, int(found["quarter"]) * 3 - 2, 1)  # noqa: DTZ001  see _seconds


def _strptime(text: str, pattern: str) -> datetime | None:
    if is_digits(pattern) and len(text) != num_digits(pattern):
        return None
    plain, changes = _prepared(pattern)
    for look, target in changes:
        text = re.sub(look, target.replace("$", "\\"), text, count=1)
    if _MIDNIGHT in pattern:
        if not re.search(_MIDNIGHT_LOOK, text):
            return None
        text = text.replace("24:", "00:", 1)
    if ".%f" in plain:  # Python reads microseconds only
        text = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text)
    start, whole = completed(plain)
    moment = datetime.strptime(start + text, whole)  # noqa: DTZ007  see _seconds
    # `69` is the only two-digit year that Python and polars read differently
    is_69 = "%y" in pattern and moment.year == 1969
    moment = moment.replace(year=2069) if is_69 else moment
    return moment + timedelta(days=1) if _MIDNIGHT in pattern else moment


def _a_century_back(moment: datetime) -> datetime:
    is_leap_day = (moment.month, moment.day) == (2, 29) and moment.year == 2000
    return moment.replace(year=moment.year - 100, day=28 if is_leap_day else moment.day)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def write_time(moment: datetime, pattern: str) -> str:
    """Return a moment in a pattern."""
    start, whole = completed(pattern)
    quarter = str((moment.month + 2) // 3)
    return moment.strftime(whole.replace(_QUARTER, quarter))[len(start) :]


def completed(pattern: str) -> tuple[str, str]:
    """Return a prefix that completes the date of a cell, and the pattern for both.

    Python and polars cannot parse a time of day or a month without a full date.
    """
    if not any(part in pattern for part in ("%Y", "%y")):
        return "1970-01-01 ", f"%Y-%m-%d {pattern}"
    if _QUARTER in pattern:
        return "", pattern
    missing = [] if "%d" in pattern else ["%d"]
    missing += [] if any(part in pattern for part in _MONTHS) else ["%m"]
    return "01 " * len(missing), " ".join([*missing, pattern])
