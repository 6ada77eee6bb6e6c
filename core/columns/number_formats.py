"""Formats of numbers: detect them in a sample, parse one cell or whole columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from core.columns.base import MOST_SAMPLED
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat

INFINITE = r"[+-]?(?:inf|Inf|INF|infinity|Infinity)"
"""Words for infinity; they count as missing in a column of numbers."""

_SIGNS = r"[$€£¥₹₽₩₺₴₪฿%‰]"
_CODES = ("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "SEK", "NOK")
_AFFIX = rf"(?:{_SIGNS}|\b(?:{'|'.join(_CODES)})\b|(?:US|CA|AU)\$)"
"""Currency and percent signs before or after a number."""

_SPACES = " \u00a0\u202f"
_POINT = [("", "."), (",", "."), (" ", "."), ("'", ".")]
_COMMA = [("", ","), (".", ","), (" ", ","), ("'", ",")]
"""Pairs (mark between thousands, decimal mark), in the order in which they are tried."""


@lru_cache(maxsize=256)
def number_pattern(decimal: str, thousands: str) -> str:
    """Return the regular expression of a number, for Python and for polars."""
    point = re.escape(decimal)
    whole = r"[0-9]+"
    if thousands:
        group = f"[{_SPACES}]" if thousands in _SPACES else re.escape(thousands)
        whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+)"
    return (
        rf"^[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?$"
    )


def number_format(
    sample: list[str], decimal: str | None, *, comma_first: bool
) -> ColumnFormat | None:
    """Return the first format that most of the sample fits, or None.

    `decimal` is the decimal mark if the user gave it. Else `comma_first` decides which
    mark to try first, since a text such as `1,234` fits both.
    """
    affixes = sorted(_affixes(sample))
    ways = {".": _POINT, ",": _COMMA}.get(decimal or "")
    if ways is None:
        # plain numbers are not ambiguous, so their format comes first
        ways = [_POINT[0], *(_COMMA + _POINT if comma_first else _POINT + _COMMA)]
    for thousands, mark in ways:
        form = ColumnFormat(decimal=mark, thousands=thousands, affixes=affixes)
        if _fits(sample, form):
            return form
    return None


def without_unit(sample: list[str], unit: str) -> list[str]:
    """Return the cells with a unit, without it; all cells if no cell has the unit."""
    form = ColumnFormat(unit=unit)
    with_unit = [text for text in sample if unit and text.endswith(unit)]
    return [_bare_cell(text, form) for text in with_unit or sample]


def _affixes(sample: Iterable[str]) -> set[str]:
    found = {sign for text in sample for sign in re.findall(_AFFIX, text)}
    if any(re.fullmatch(r"\(\s*[0-9.,' ]+\s*\)", text) for text in sample):
        found.add("()")
    return found


def _fits(sample: list[str], form: ColumnFormat) -> bool:
    frame = pl.DataFrame({"text": sample}, schema={"text": pl.String})
    share = frame.select(is_number(pl.col("text"), form).mean()).item()
    return bool(share >= MOST_SAMPLED)


def with_decimal(form: ColumnFormat, decimal: str | None) -> ColumnFormat:
    """Return the format with another decimal mark.

    If that is the mark between thousands, the two marks are swapped.
    """
    if decimal is None or decimal == form.decimal:
        return form
    thousands = form.decimal if form.thousands == decimal else form.thousands
    return form.model_copy(update={"decimal": decimal, "thousands": thousands})


def is_number(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return whether cells are numbers in this format, infinity included."""
    pattern = number_pattern(form.decimal, form.thousands)
    return _bare_column(text, form).str.contains(f"{pattern}|^{INFINITE}$")


def parse_numbers(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells as float64, null where a cell is not a finite number."""
    bare = _bare_column(text, form)
    plain = pl.when(is_number(text, form)).then(_plain_column(bare, form))
    number = plain.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def parse_number(text: str, form: ColumnFormat) -> float | None:
    """Return the number in one trimmed cell; None if the cell is not a number.

    A number too large for float64 becomes infinite, like `inf`.
    """
    bare = _bare_cell(text, form)
    if re.fullmatch(INFINITE, bare):
        return float(bare)
    if not re.match(number_pattern(form.decimal, form.thousands), bare):
        return None
    return float(_plain_cell(bare, form))


def _bare_column(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells without signs and units; `(3)` becomes `-3`."""
    if form.unit:
        text = text.str.replace(_unit_after(form), "")
    if not form.affixes:
        return text
    bare = text.str.replace_all(_AFFIX, "").str.strip_chars()
    bare = bare.str.replace(r"^\(\s*(.*?)\s*\)$", "-$1")
    return bare.str.replace(r"^([+-])\s+", "$1")


def _unit_after(form: ColumnFormat) -> str:
    return rf"[{_SPACES}]*{re.escape(form.unit)}$"


def _bare_cell(text: str, form: ColumnFormat) -> str:
    if form.unit:
        text = re.sub(_unit_after(form), "", text)
    if not form.affixes:
        return text
    bare = re.sub(_AFFIX, "", text).strip()
    bare = re.sub(r"^\(\s*(.*?)\s*\)$", r"-\1", bare)
    return re.sub(r"^([+-])\s+", r"\1", bare)


def _plain_column(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells with a decimal point and without marks between thousands."""
    if form.thousands:
        marks = r"[ \x{a0}\x{202f}]" if form.thousands == " " else None
        text = text.str.replace_all(marks or form.thousands, "", literal=marks is None)
    return text.str.replace(form.decimal, ".", literal=True)


def _plain_cell(text: str, form: ColumnFormat) -> str:
    if form.thousands:
        marks = _SPACES if form.thousands in _SPACES else form.thousands
        text = text.translate({ord(mark): None for mark in marks})
    return text.replace(form.decimal, ".", 1)
