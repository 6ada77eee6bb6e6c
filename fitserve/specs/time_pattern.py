"""Check the format of a column of datetimes."""

import re
from collections import Counter
from datetime import UTC, datetime

EPOCHS = {
    "epoch_seconds": 1_000_000,
    "epoch_milliseconds": 1_000,
    "epoch_microseconds": 1,
    "epoch_nanoseconds": 0.001,
}
"""Formats of numbers that count since 1970, and the microseconds of their unit."""
EXCEL_DAYS = "excel_days"
_NAMES = (*EPOCHS, EXCEL_DAYS)
_KNOWN = "YymbBdqaAHMSfIpz%"
_MONTH = ("%m", "%b", "%B")
_SHOWN = ", ".join(f"`%{letter}`" for letter in _KNOWN)
_MOMENT = datetime(2024, 11, 23, 14, 5, 6, 123456, UTC)


def has_zone(form: str) -> bool:
    """Return whether the cells of a format have a time zone; epochs are in UTC."""
    if form in EPOCHS or "%z" in form:
        return True
    letters = re.sub("%.", "-", form)
    return re.search(r"\b(Z|UTC|GMT)\b", letters) is not None


def pattern_fault(form: str) -> str | None:
    """Return what is wrong with a format; None if it can be read."""
    if form in _NAMES:
        return None
    if "%" not in form:
        names = ", ".join(f"`{name}`" for name in _NAMES)
        return f"got {form!r}; expected a pattern such as `%d.%m.%Y`, or one of {names}"
    return _unknown(form) or _incomplete(form) or _unreadable(form)


def _quarter_fault(form: str) -> str | None:
    others = set(re.findall("%.", form)) - {"%q", "%Y", "%y"}
    if others:
        return f"`%q` (the quarter) is only with a year; leave out `{min(others)}`"
    return None if "%Y" in form or "%y" in form else "a quarter needs a year: add `%Y`"


def _unknown(form: str) -> str | None:
    parts = Counter(re.findall(r"%(.?)", form, re.DOTALL))
    for letter, count in parts.items():
        if not letter or letter not in _KNOWN:
            return f"`%{letter}` is not supported; expected {_SHOWN}"
        if count > 1 and letter != "%":
            return f"`%{letter}` occurs {count} times; expected it once"
    return None


def _incomplete(form: str) -> str | None:
    """Return a part of a date or time that needs another part."""
    if "%q" in form:
        return _quarter_fault(form)
    has_year = "%Y" in form or "%y" in form
    has_month = any(part in form for part in _MONTH)
    if has_month and not has_year:
        return "a month needs a year: add `%Y` or `%y`"
    if "%d" in form and not has_month:
        return "a day needs a month: add `%m`, `%b` or `%B`"
    if ("%I" in form) != ("%p" in form):
        return "`%I` (hours 1 to 12) and `%p` (AM or PM) need each other"
    if "%M" in form and not ("%H" in form or "%I" in form):
        return "minutes need hours: add `%H`, or `%I` and `%p`"
    if "%S" in form and "%M" not in form:
        return "seconds need minutes: add `%M`"
    if "%f" in form and not re.search("%S[.,]%f", form):
        return "`%f` is a fraction of a second: write `%S.%f`"
    return None if has_year or "%H" in form or "%I" in form else "it has no date or time"


def _unreadable(form: str) -> str | None:
    if "%q" in form:  # fitserve's own
        return None
    try:
        datetime.strptime(_MOMENT.strftime(form), form)  # noqa: DTZ007  only tried
    except (ValueError, re.error) as error:
        return f"Python's strptime cannot read it: {error}"
    return None
