"""Formats of dates and times: found in a sample, read from one cell and from columns."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.columns.base import MOST_SAMPLED
from core.lazy import LazyModule

if TYPE_CHECKING:
    import polars as pl
else:
    pl = LazyModule("polars")

_DATES = {
    # pattern: what the text must look like, so that 2-digit years are no 4-digit ones
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
_LOOKS = r"^[\p{L}\d]{1,9}[-/.: ]+[\p{L}\d]{1,9}"


def time_formats(sample: list[str], *, day_first: bool) -> list[str]:
    """Return the patterns (Python's strptime) that most of the sample fits, best first.

    `day_first` settles days and months that could be either.
    """
    texts = pl.Series("text", sample, dtype=pl.String)
    if not _mostly(texts.str.contains(_LOOKS)):
        return []
    fits = [pattern for pattern, look in _ways(texts) if _fits(texts, pattern, look)]
    return sorted(fits, key=lambda p: (p.startswith("%d") != day_first, "%d" not in p))


def _ways(texts: pl.Series) -> list[tuple[str, str]]:
    """Return patterns with their looks; times of day only where a colon stands."""
    ways = dict(_DATES | _MONTHS)
    if _mostly(texts.str.contains(":", literal=True)):
        ways = dict(_TIMES)
        for date, date_look in _DATES.items():
            for time, time_look in _TIMES.items():
                for zone, zone_look in _ZONES.items():
                    for mark in (" ", "T", ", "):
                        look = f"{date_look}{mark}{time_look}{zone_look}"
                        ways[f"{date}{mark}{time}{zone}"] = look
    first = texts[0]
    return [
        (pattern, f"^{look}$")
        for pattern, look in ways.items()
        if _close(look, first) or _close(look, texts[-1])
    ]


def _close(look: str, text: str) -> bool:
    return re.fullmatch(look.replace(r"\p{L}", "[^\\W\\d_]"), text) is not None


def _fits(texts: pl.Series, pattern: str, look: str) -> bool:
    fits = pl.col("text").str.contains(look) & is_time(pl.col("text"), pattern)
    return _mostly(texts.to_frame().select(fits).to_series())


def _mostly(flags: pl.Series) -> bool:
    return int(flags.sum()) >= MOST_SAMPLED * len(flags)


def is_ambiguous(formats: list[str]) -> bool:
    """Return whether days and months could be the other way round."""
    return any(p.startswith("%d") for p in formats) and any(
        p.startswith("%m") for p in formats
    )


def is_time(text: pl.Expr, pattern: str) -> pl.Expr:
    """Return whether cells are times in this format."""
    return parse_times(text, pattern).is_not_null()


def parse_times(text: pl.Expr, pattern: str) -> pl.Expr:
    """Return cells as datetimes in UTC, without a zone; null where they do not fit."""
    start, whole = completed(pattern)
    moment = pl.concat_str(pl.lit(start), text).str.to_datetime(
        whole.replace(".%f", "%.f"), strict=False, time_unit="us"
    )
    moment = moment.dt.replace_time_zone(None) if "%z" in pattern else moment
    # polars knows years that Python does not
    return pl.when(moment.dt.year().is_between(1, 9999)).then(moment)


def parse_time(text: str, pattern: str | None) -> float | None:
    """Return the seconds since 1970 (UTC) of one trimmed cell, None if it is not a time.

    The column's own pattern comes first, then ISO 8601. A time without a zone is UTC.
    """
    moment = _strptime(text, pattern) or _iso(text)
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _strptime(text: str, pattern: str | None) -> datetime | None:
    if pattern is None:
        return None
    start, whole = completed(pattern)
    try:
        moment = datetime.strptime(start + text, whole)  # noqa: DTZ007  zone comes after
    except ValueError:
        return None
    # the one year of two digits on which Python and polars differ
    is_69 = "%y" in pattern and moment.year == 1969
    return moment.replace(year=2069) if is_69 else moment


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def completed(pattern: str) -> tuple[str, str]:
    """Return the text that makes a cell a whole date, and the pattern of both."""
    if not any(part in pattern for part in ("%Y", "%y")):
        return "1970-01-01 ", f"%Y-%m-%d {pattern}"
    return ("", pattern) if "%d" in pattern else ("01 ", f"%d {pattern}")
