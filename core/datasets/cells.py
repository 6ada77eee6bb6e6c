"""What the text of a cell can mean, in an upload and in an instance alike."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from fitserve.schemas.datasets import ColumnFormat

NULLS = (
    *("", "NA", "N/A", "n/a", "N.A.", "n.a.", "#N/A", "<NA>", "NaN", "nan", "NaT"),
    *("null", "NULL", "Null", "(null)", "\\N", "None", "none", "?", "-", "--", "."),
    *("#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"),
)
"""Cells that mean "missing"."""

TRUE, FALSE = ("true", "yes", "y", "t", "on"), ("false", "no", "n", "f", "off")
"""Each of the one in the place of its opposite."""

INFINITE = r"[+-]?(?:inf|Inf|INF|infinity|Infinity)"
"""Numbers without a value: missing in a column of numbers."""

INFINITE_WORDS = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")

_SIGNS = r"[$€£¥₹₽₩₺₴₪฿%‰]"
_CODES = ("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "SEK", "NOK")
AFFIX = rf"(?:{_SIGNS}|\b(?:{'|'.join(_CODES)})\b|(?:US|CA|AU)\$)"
"""Signs of currency and share that may stand around a number."""

_SPACES = " \u00a0\u202f"


@lru_cache(maxsize=256)
def number_pattern(decimal: str, thousands: str) -> str:
    """The ASCII grammar of a number as a regular expression for Python and polars."""
    point = re.escape(decimal)
    whole = r"[0-9]+"
    if thousands:
        group = f"[{_SPACES}]" if thousands in _SPACES else re.escape(thousands)
        whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+)"
    return (
        rf"^[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?$"
    )


def parse_number(text: str, form: ColumnFormat) -> float | None:
    """The number in a trimmed text written in the column's way; None if it is none.

    What overflows float64 is infinite.
    """
    if form.affixes:
        text = re.sub(AFFIX, "", text).strip()
        if text.startswith("(") and text.endswith(")"):
            text = "-" + text[1:-1].strip()
        text = re.sub(r"^([+-])\s+", r"\1", text)
    if not re.match(number_pattern(form.decimal, form.thousands), text):
        return None
    return float(_plain(text, form))


def _plain(text: str, form: ColumnFormat) -> str:
    if form.thousands:
        marks = _SPACES if form.thousands in _SPACES else form.thousands
        text = text.translate({ord(mark): None for mark in marks})
    return text.replace(form.decimal, ".")


def parse_boolean(text: str) -> float | None:
    """1.0 or 0.0 for a trimmed text; numbers count by their value; None otherwise."""
    folded = text.lower()
    if folded in TRUE + FALSE:
        return float(folded in TRUE)
    return {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}.get(folded)


def parse_datetime(text: str, pattern: str | None) -> float | None:
    """Seconds since 1970 (UTC) in a trimmed text; None if it is no time.

    The column's own pattern comes first, then ISO 8601. Times without a zone are UTC.
    """
    moment = _strptime(text, pattern) or _iso(text)
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _strptime(text: str, pattern: str | None) -> datetime | None:
    if pattern is None:
        return None
    start, pattern = completed(pattern)
    try:
        return datetime.strptime(start + text, pattern)  # noqa: DTZ007  zone comes after
    except ValueError:
        return None


def completed(pattern: str) -> tuple[str, str]:
    """Text to put before a cell so that a whole date stands there, and its pattern."""
    if not any(part in pattern for part in ("%Y", "%y")):
        return "1970-01-01 ", f"%Y-%m-%d {pattern}"
    return ("", pattern) if "%d" in pattern else ("01 ", f"%d {pattern}")


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
