"""Formats of dates and times: detect them in a sample, parse one cell or columns."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from core.columns.base import MOST_SAMPLED
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

_DATES = {
    # the regular expression of a pattern distinguishes years of 2 and of 4 digits
    "%Y-%m-%d": r"\d{4}-\d{1,2}-\d{1,2}",
    "%Y/%m/%d": r"\d{4}/\d{1,2}/\d{1,2}",
    "%Y.%m.%d": r"\d{4}\.\d{1,2}\.\d{1,2}",
    "%d.%m.%Y": r"\d{1,2}\.\d{1,2}\.\d{4}",
    "%d.%m.%y": r"\d{1,2}\.\d{1,2}\.\d{2}",
    "%m/%d/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%d/%m/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%m/%d/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "%d/%m/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "%m-%d-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%d-%m-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%d-%b-%Y": r"\d{1,2}-\p{L}{3}-\d{4}",
    "%d-%b-%y": r"\d{1,2}-\p{L}{3}-\d{2}",
    "%d %b %Y": r"\d{1,2} \p{L}{3} \d{4}",
    "%d %B %Y": r"\d{1,2} \p{L}{3,9} \d{4}",
    "%b %d, %Y": r"\p{L}{3} \d{1,2}, \d{4}",
    "%B %d, %Y": r"\p{L}{3,9} \d{1,2}, \d{4}",
    "%b-%d-%Y": r"\p{L}{3}-\d{1,2}-\d{4}",
    "%b %d %Y": r"\p{L}{3} +\d{1,2} \d{4}",
}
_TIMES = {
    "%H:%M": r"\d{1,2}:\d{2}",
    "%H:%M:%S": r"\d{1,2}:\d{2}:\d{2}",
    "%H:%M:%S.%f": r"\d{1,2}:\d{2}:\d{2}\.\d{1,6}",
    "%I:%M %p": r"\d{1,2}:\d{2} [aApP][mM]",
    "%I:%M:%S %p": r"\d{1,2}:\d{2}:\d{2} [aApP][mM]",
    "%I:%M:%S.%f %p": r"\d{1,2}:\d{2}:\d{2}\.\d{1,6} [aApP][mM]",
}
_ZONES = {"": "", "Z": "Z", "%z": r"[+-]\d{2}:?\d{2}", " %z": r" [+-]\d{2}:?\d{2}"}
_MONTHS = {
    "%Y-%m": r"\d{4}-\d{2}",
    "%Y-%b": r"\d{4}-\p{L}{3}",
    "%b %Y": r"\p{L}{3} \d{4}",
    "%B %Y": r"\p{L}{3,9} \d{4}",
    "%b-%y": r"\p{L}{3}-\d{2}",
    "%b-%Y": r"\p{L}{3}-\d{4}",
}
_MONTH_PARTS = ("%m", "%b", "%B")
_LOOKS = r"^[\p{L}\d]{1,9}[-/.: ]+[\p{L}\d]{1,9}"


def time_formats(sample: list[str], *, day_first: bool) -> list[str]:
    """Return the patterns (Python's strptime) that most of the sample fits, best first.

    `day_first` decides the order if a date could be day-month or month-day.
    """
    texts = pl.Series("text", sample, dtype=pl.String)
    if not _mostly(texts.str.contains(_LOOKS)):
        return []
    fits = [pattern for pattern, look in _ways(texts) if _fits(texts, pattern, look)]
    return sorted(fits, key=lambda p: (p.startswith("%d") != day_first, "%d" not in p))


def _ways(texts: pl.Series) -> list[tuple[str, str]]:
    """Return the patterns that fit the first or the last cell, with regular expressions.

    Patterns with a time are tried only if most cells have a colon.
    """
    ways = dict(_DATES | _MONTHS)
    if _mostly(texts.str.contains(":", literal=True)):
        ways = dict(_TIMES)
        for date, date_look in _DATES.items():
            for time, time_look in _TIMES.items():
                for zone, zone_look in _ZONES.items():
                    for mark in (" ", "T", ", "):
                        look = f"{date_look}{mark}{time_look}{zone_look}"
                        ways[f"{date}{mark}{time}{zone}"] = look
    return [
        (pattern, f"^{look}$")
        for pattern, look in ways.items()
        if _looks_like(look, texts[0]) or _looks_like(look, texts[-1])
    ]


def _looks_like(look: str, text: str) -> bool:
    return re.fullmatch(look.replace(r"\p{L}", "[^\\W\\d_]"), text) is not None


def _fits(texts: pl.Series, pattern: str, look: str) -> bool:
    form = ColumnFormat(datetime=pattern)
    fits = pl.col("text").str.contains(look) & is_time(pl.col("text"), form)
    return _mostly(texts.to_frame().select(fits).to_series())


def _mostly(flags: pl.Series) -> bool:
    return int(flags.sum()) >= MOST_SAMPLED * len(flags)


def is_ambiguous(formats: list[str]) -> bool:
    """Return whether the formats differ in the order of day and month."""
    return any(p.startswith("%d") for p in formats) and any(
        p.startswith("%m") for p in formats
    )


def is_time(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return whether cells are times in this format."""
    return parse_times(text, form).is_not_null()


def parse_times(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells as UTC datetimes without a zone; null where a cell does not fit."""
    if counts_time(form):
        return times_of_numbers(text, form)
    pattern = form.datetime or ""
    start, whole = completed(pattern)
    moment = pl.concat_str(pl.lit(start), text).str.to_datetime(
        whole.replace(".%f", "%.f"), strict=False, time_unit="us"
    )
    moment = moment.dt.replace_time_zone(None) if "%z" in pattern else moment
    moment = column_in_utc(moment, pattern, form)
    # Python has no years before 1 or after 9999
    return pl.when(moment.dt.year().is_between(1, 9999)).then(moment)


def parse_time(text: str, form: ColumnFormat) -> float | None:
    """Return one trimmed cell as seconds since 1970 (UTC); None if it is not a time.

    The column's format is tried first, then ISO 8601. A time without a zone is of the
    column's zone, or else UTC.
    """
    if counts_time(form) and (seconds := time_in_number(text, form)) is not None:
        return seconds
    moment = _strptime(text, form.datetime) or _iso(text)
    found = None if moment is None else cell_in_utc(moment, form)
    return None if found is None else found.timestamp()


def _strptime(text: str, pattern: str | None) -> datetime | None:
    if pattern is None or "%" not in pattern:
        return None
    if is_digits(pattern) and len(text) != num_digits(pattern):
        return None
    start, whole = completed(pattern)
    try:
        moment = datetime.strptime(start + text, whole)  # noqa: DTZ007  the caller sets the zone
    except ValueError:
        return None
    # `69` is the only two-digit year that Python and polars read differently
    is_69 = "%y" in pattern and moment.year == 1969
    moment = moment.replace(year=2069) if is_69 else moment
    names_utc = has_zone(pattern) and moment.tzinfo is None  # `Z` is an ordinary letter
    return moment.replace(tzinfo=UTC) if names_utc else moment


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def completed(pattern: str) -> tuple[str, str]:
    """Return a prefix that completes the date of a cell, and the pattern for both.

    Python and polars cannot parse a time of day or a month without a full date.
    """
    if not any(part in pattern for part in ("%Y", "%y")):
        return "1970-01-01 ", f"%Y-%m-%d {pattern}"
    missing = [] if "%d" in pattern else ["%d"]
    missing += [] if any(part in pattern for part in _MONTH_PARTS) else ["%m"]
    return "01 " * len(missing), " ".join([*missing, pattern])
