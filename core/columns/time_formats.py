"""Detect the formats of dates and times in a sample of a column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache, reduce
from operator import or_

from core.columns.base import MOST_SAMPLED
from core.columns.number_notes import COMPACT_DATE
from core.columns.time_cells import COMPACT, is_time
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat

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
    "%H:%M:%S.%f": r"\d{1,2}:\d{2}:\d{2}\.\d{1,9}",
    "%H:%M:%S,%f": r"\d{1,2}:\d{2}:\d{2},\d{1,9}",
    "%I:%M %p": r"\d{1,2}:\d{2} [aApP][mM]",
    "%I:%M:%S %p": r"\d{1,2}:\d{2}:\d{2} [aApP][mM]",
    "%I:%M:%S.%f %p": r"\d{1,2}:\d{2}:\d{2}\.\d{1,9} [aApP][mM]",
}
_MIDNIGHTS = {"24:%M": r"24:00", "24:%M:%S": r"24:00:00"}
"""Midnight at the end of a day."""
_OFFSET = r"[+-]\d{2}(?::?\d{2})?"
_ZONES = {
    "": "",
    "Z": "Z",
    "%z": _OFFSET,
    " %z": f" {_OFFSET}",
    " UTC": " UTC",
    "UTC": "UTC",
    " GMT": " GMT",
    " Z": " Z",
    " %z UTC": f" {_OFFSET} UTC",
}
_MARKS = (" ", "T", ", ")
_MONTHS = {
    "%Y-%m": r"\d{4}-\d{2}",
    "%Y-%b": r"\d{4}-\p{L}{3}",
    "%b %Y": r"\p{L}{3} \d{4}",
    "%B %Y": r"\p{L}{3,9} \d{4}",
    "%b-%y": r"\p{L}{3}-\d{2}",
    "%b-%Y": r"\p{L}{3}-\d{4}",
}
_QUARTERS = {
    pattern.format(mark): look.format(mark)
    for mark in ("-", " ", "/", ":", "")
    for pattern, look in {
        "Q%q{}%Y": r"[Qq][1-4]{}\d{{4}}",
        "%qQ{}%Y": r"[1-4][Qq]{}\d{{4}}",
        "%Y{}Q%q": r"\d{{4}}{}[Qq][1-4]",
        "Q%q{}%y": r"[Qq][1-4]{}\d{{2}}",
        "%qQ{}%y": r"[1-4][Qq]{}\d{{2}}",
    }.items()
}
_COMPACT_TIMES = {
    "%Y%m%dT%H%M%S": r"\d{8}T\d{6}",
    "%Y%m%dT%H%M%SZ": r"\d{8}T\d{6}Z",
    **{f"%Y%m%d {time}": rf"\d{{8}} {look}" for time, look in _TIMES.items()},
}
_DAY = r"(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un|MON|TUE|WED|THU|FRI|SAT|SUN)"
_WEEKDAYS = {
    "": "",
    "%a, ": rf"{_DAY}, ?",
    "%a ": rf"{_DAY}\.? ",
    "%A, ": rf"{_DAY}\p{{L}}+, ?",
    "%A ": rf"{_DAY}\p{{L}}+ ",
}
_WEEKDAYS_AFTER = {
    " %a": rf" {_DAY}",
    " %A": rf" {_DAY}\p{{L}}+",
    " (%a)": rf" \({_DAY}\)",
}
_CLOCK = rf"{_DAY} \p{{L}}{{3}} +\d{{1,2}} \d\d:\d\d:\d\d"
_UNIX_DATES = {
    f"%a %b %d %H:%M:%S{zone} %Y": rf"{_CLOCK}{_ZONES[zone]} \d{{4}}"
    for zone in ("", " UTC", " GMT", " %z")
}
"""As the command `date` and C's `ctime` write them."""

_WHOLE = _MONTHS | _QUARTERS | _COMPACT_TIMES | _UNIX_DATES | _TIMES | _MIDNIGHTS
"""Patterns that are not a date with what may stand around it."""
_LOOKS = r"^\(?[\p{L}\d]{1,9}[-/.,: (]+[\p{L}\d]{1,9}|^\d{8}T|^\d{4}[Qq]|^\d?[Qq]\d"
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d*(?:[eE][+-]?\d+)?$")
_FEWEST_DISTINCT = 3
"""With fewer different cells, digits may look like dates by chance."""
_MOST_SHAPES = 12


def time_formats(sample: list[str], *, day_first: bool) -> list[ColumnFormat]:
    """Return the formats that most of the sample fits, best first.

    `day_first` decides the order if a date could be day-month or month-day. If cells of
    one kind of date differ in their time or zone, one format has several patterns.
    """
    if _NUMBER.match(sample[0]) and _NUMBER.match(sample[-1]):
        return []
    texts = pl.Series("text", sample, dtype=pl.String)
    if not _is_mostly(texts.str.contains(_LOOKS)):
        return []
    flags = {pattern: _fits(texts, pattern, look) for pattern, look in _ways(texts)}
    fits = [pattern for pattern, fit in flags.items() if _is_mostly(fit)]
    fits.sort(key=lambda p: (bool(is_day_first(p)) != day_first, "%d" not in p))
    best = max((int(flags[pattern].sum()) for pattern in fits), default=0)
    several = _joined(flags, best, day_first=day_first) if best < len(texts) else []
    return [*several, *(ColumnFormat(datetime=pattern) for pattern in fits)]


def compact_formats(sample: list[str], share: float = 1.0) -> list[ColumnFormat]:
    """Return the format of dates that are written as digits only, such as 20240131."""
    if share == 1.0 and len(sample[0]) not in COMPACT.values():
        return []
    texts = pl.Series("text", sample, dtype=pl.String)
    if texts.n_unique() < _FEWEST_DISTINCT and share == 1.0:
        return []
    least = share * len(texts)
    plausible = texts.str.slice(0, 8).str.contains(COMPACT_DATE)
    if int(plausible.sum()) < least:
        return []
    flags = {p: _fits(texts, p, rf"^\d{{{n}}}$") & plausible for p, n in COMPACT.items()}
    return [ColumnFormat(datetime=p) for p, fit in flags.items() if fit.sum() >= least]


def two_digit_formats(sample: list[str], *, day_first: bool) -> list[ColumnFormat]:
    """Return the formats of dates such as 01-12-16, whose order is not known."""
    texts = pl.Series("text", sample, dtype=pl.String)
    look = r"^\d{2}-\d{2}-\d{2}$"
    if not _is_mostly(texts.str.contains(look)):
        return []
    orders = ["%m-%d-%y", "%d-%m-%y", "%y-%m-%d"]
    orders.sort(key=lambda p: bool(is_day_first(p)) != day_first)
    fits = [p for p in orders if _is_mostly(_fits(texts, p, look))]
    return [ColumnFormat(datetime=pattern) for pattern in fits]


def is_compact(form: ColumnFormat) -> bool:
    """Return whether the dates of a column are whole numbers, such as 20240131."""
    return form.datetime in COMPACT


def _joined(
    flags: dict[str, pl.Series], best: int, *, day_first: bool
) -> list[ColumnFormat]:
    """Return a format of several patterns with one kind of date, if most cells fit."""
    found = []
    for date in dict.fromkeys(map(_date_part, flags)):
        patterns = [p for p in flags if _date_part(p) == date and flags[p].any()]
        patterns.sort(key=lambda p: -int(flags[p].sum()))
        if len(patterns) < 2:
            continue
        fit = reduce(or_, (flags[pattern] for pattern in patterns))
        if _is_mostly(fit) and int(fit.sum()) > best:
            form = ColumnFormat(datetime=patterns[0], other_datetimes=patterns[1:])
            found.append(form)
    return sorted(found, key=lambda f: bool(is_day_first(f.datetime or "")) != day_first)


def _date_part(pattern: str) -> str:
    """Return a pattern without its time and zone."""
    return re.split(r"[ T,]*(?:%H|%I|24:)", pattern)[0]


def _ways(texts: pl.Series) -> list[tuple[str, str]]:
    """Return the patterns that cells of each shape fit, with regular expressions."""
    found: dict[str, str] = {}
    for text in dict.fromkeys([texts[0], texts[-1], *_shapes(texts)]):
        found |= dict(_patterns(text))
    return [(pattern, f"^{look}$") for pattern, look in found.items()]


def _shapes(texts: pl.Series) -> list[str]:
    """Return a cell for each usual arrangement of digits, letters and marks."""
    shape = texts.str.replace(r"\b24:00", "m").str.replace_all(r"\d", "9")
    shape = shape.str.replace_all(r"\p{L}+", "a")
    cells = pl.DataFrame({"text": texts, "shape": shape})
    shapes = cells.group_by("shape", maintain_order=True)
    counted = shapes.agg(pl.col("text").first(), pl.len()).sort("len", descending=True)
    return counted["text"].head(_MOST_SHAPES).to_list()


def _patterns(text: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns that a cell fits, with regular expressions for polars."""
    yield from ((p, look) for p, look in _WHOLE.items() if _end(look, text) == len(text))
    for day, day_look in _WEEKDAYS.items():
        if (start := _end(day_look, text)) is None:
            continue
        for date, date_look in _DATES.items():
            end = _end(date_look, text[start:])
            for time, look in _times(text[start + end :], bool(day)) if end else ():
                yield f"{day}{date}{time}", f"{day_look}{date_look}{look}"


def _times(rest: str, has_day: bool) -> Iterator[tuple[str, str]]:
    """Yield the patterns of what follows a date: a time and a zone, or a weekday."""
    if not rest:
        yield "", ""
        return
    ends = _suffixes() if has_day else _suffixes() | _WEEKDAYS_AFTER
    yield from ((p, look) for p, look in ends.items() if _end(look, rest) == len(rest))


@lru_cache(maxsize=1)
def _suffixes() -> dict[str, str]:
    """Return every way of writing a time and a zone after a date."""
    found = {}
    for time, time_look in (_TIMES | _MIDNIGHTS).items():
        for zone, zone_look in _ZONES.items():
            for mark in _MARKS:
                found[f"{mark}{time}{zone}"] = f"{mark}{time_look}{zone_look}"
    return found


def _end(look: str, text: str) -> int | None:
    found = _compiled(look).match(text)
    return None if found is None else found.end()


@lru_cache(maxsize=1024)
def _compiled(look: str) -> re.Pattern[str]:
    return re.compile(look.replace(r"\p{L}", "[^\\W\\d_]"))


def _fits(texts: pl.Series, pattern: str, look: str) -> pl.Series:
    text = pl.col("text")
    fits = text.str.contains(look) & is_time(text, ColumnFormat(datetime=pattern))
    return texts.to_frame().select(fits).to_series()


def _is_mostly(flags: pl.Series) -> bool:
    return int(flags.sum()) >= MOST_SAMPLED * len(flags)


def is_day_first(pattern: str) -> bool | None:
    """Return whether a date is day-month, not month-day; None if it is neither."""
    date = re.sub(r"%[aA],? ", "", pattern)
    return {"%d": True, "%m": False}.get(date[:2])


def is_either(pattern: str) -> bool:
    """Return whether day and month are numbers that could be exchanged."""
    return re.search(r"%d([/-])%m\1%[yY]|%m([/-])%d\2%[yY]", pattern) is not None
