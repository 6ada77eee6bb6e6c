"""Formats of numbers: detect them in a sample, parse one cell or whole columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from core.columns.base import MOST_SAMPLED
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat

INFINITE = r"[+-]?(?:inf|Inf|INF|infinity|Infinity)"
"""Words for infinity; they count as missing in a column of numbers."""

PERCENT = r"[%‰]"
_CURRENCIES = r"[$€£¥₹₽₩₺₴₪฿]"
_CODES = ("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "SEK", "NOK")
CURRENCY = rf"(?:{_CURRENCIES}|\b(?:{'|'.join(_CODES)})\b|(?:US|CA|AU)\$)"
_AFFIX = rf"(?:{PERCENT}|{CURRENCY})"
"""Currency and percent signs before or after a number."""

_MINUS = "\u2212\u2010\u2011\u2012\u2013\u2014\ufe58\ufe63\uff0d"
"""Characters that look like `-`: the minus of mathematics, hyphens and dashes."""
TRAILING_MINUS = "3-"
_NUMBER_WITH_UNIT = (
    r"(?m)^[^\w\n]{0,3}[0-9][0-9.,' ]*?[ \u00a0\u202f]?((?:[^\W\d_]|°)[^\s0-9]*[23]?)$"
)
"""A number, and a unit that begins with a letter, such as `kg`, `km/h` and `m2`."""
_ORDINALS = ("st", "nd", "rd", "th")
"""Endings of `1st` and `3rd`, which are no units."""

_SPACES = " \u00a0\u202f"
_POINT = [("", "."), (",", "."), (" ", "."), ("'", ".")]
_COMMA = [("", ","), (".", ","), (" ", ","), ("'", ",")]
"""Pairs (mark between thousands, decimal mark), in the order in which they are tried."""
_NO_THOUSAND = re.compile(r"[+-]?0,[0-9]{3}")
"""A decimal comma: no group of thousands follows a single 0."""


@lru_cache(maxsize=256)
def number_pattern(decimal: str, thousands: str, groups: str = "any") -> str:
    """Return the regular expression of a number, for Python and for polars."""
    point = re.escape(decimal)
    whole = r"[0-9]+"
    if thousands:
        mark = f"[{_SPACES}]" if thousands in _SPACES else re.escape(thousands)
        whole = rf"(?:{_grouped(mark, groups)}|[0-9]+)"
    return (
        rf"^[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?$"
    )


def _grouped(mark: str, groups: str) -> str:
    if groups == "indian":
        return rf"[1-9][0-9]?(?:{mark}[0-9]{{2}})*{mark}[0-9]{{3}}"
    first = r"[0-9]{1,3}" if groups == "any" else r"[1-9][0-9]{0,2}"
    return rf"{first}(?:{mark}[0-9]{{3}})+"


def number_formats(
    sample: list[str],
    decimal: str | None,
    *,
    comma_first: bool,
    share: float = MOST_SAMPLED,
    unit: str = "",
) -> list[ColumnFormat]:
    """Return the formats that at least `share` of the sample fits, best first.

    `decimal` is the decimal mark if the user gave it. Else `comma_first` decides which
    mark to try first, since a text such as `1,234` fits both. Further formats follow only
    if the sample holds a cell that the first one cannot express.
    """
    signs = {"affixes": sorted(_affixes(sample)), "minus": _minus(sample), "unit": unit}
    ways = {".": _POINT, ",": _COMMA}.get(decimal or "")
    if ways is None:
        # plain numbers are not ambiguous, so their format comes first
        ways = [_POINT[0], *(_COMMA + _POINT if comma_first else _POINT + _COMMA)]
    forms = (_format(thousands, mark, signs) for thousands, mark in ways)
    first = next((form for form in forms if share_of(sample, form) >= share), None)
    if first is not None:
        return [first, *_others(sample, first, decimal)]
    indian = _format(",", ".", signs, "indian")
    is_indian = decimal != "," and share_of(sample, indian) >= share
    return [indian] if is_indian else []


def _format(
    thousands: str, decimal: str, signs: Mapping[str, object], groups: str = "thousands"
) -> ColumnFormat:
    groups = groups if thousands else "any"
    parts = {"decimal": decimal, "thousands": thousands, "groups": groups}
    return ColumnFormat.model_validate({**parts, **signs})


def _others(
    sample: list[str], first: ColumnFormat, decimal: str | None
) -> list[ColumnFormat]:
    """Return formats that might fit more cells than `first`, a comma for thousands."""
    if (first.thousands, first.decimal) != (",", "."):
        return []
    found = [first.model_copy(update={"groups": "indian"})]
    bare = (_bare_cell(text, first) for text in sample)
    if decimal is None and any(_NO_THOUSAND.fullmatch(text) for text in bare):
        comma = {"thousands": "", "decimal": ",", "groups": "any"}
        found.append(first.model_copy(update=comma))
    return found


def without_unit(sample: list[str], unit: str) -> list[str]:
    """Return the cells with a unit, without it; all cells if no cell has the unit."""
    form = ColumnFormat(unit=unit)
    with_unit = [text for text in sample if unit and text.endswith(unit)]
    return [_bare_cell(text, form) for text in with_unit or sample]


def _affixes(sample: Iterable[str]) -> set[str]:
    found = {
        sign
        for text in sample
        for sign in re.findall(_AFFIX, text)
        if re.search(r"[0-9]", text)
    }
    if any(re.fullmatch(r"\(\s*[0-9.,' ]+\s*\)", text) for text in sample):
        found.add("()")
    return found


def _minus(sample: Iterable[str]) -> list[str]:
    """Return the other signs of minus in front of numbers, and whether one follows."""
    joined = "\n".join(sample)
    found = re.findall(rf"(?m)^[^\w\n]{{0,3}}([{_MINUS}])(?=[^\w\n]{{0,4}}[0-9])", joined)
    trailing = re.search(r"(?m)^[^\w\n-]{0,3}[0-9][0-9.,' ]*-$", joined)
    return sorted(set(found)) + [TRAILING_MINUS] * bool(trailing)


def unit_of(sample: Iterable[str]) -> str:
    """Return the unit that most often follows a number in a sample; empty if none."""
    found = re.findall(_NUMBER_WITH_UNIT, "\n".join(sample))
    units = Counter(unit for unit in found if unit.lower() not in _ORDINALS)
    return units.most_common(1)[0][0] if units else ""


def share_of(sample: list[str], form: ColumnFormat) -> float:
    """Return the share of a sample that are numbers in this format."""
    frame = pl.DataFrame({"text": sample}, schema={"text": pl.String})
    return float(frame.select(is_number(pl.col("text"), form).mean()).item() or 0.0)


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
    pattern = number_pattern(form.decimal, form.thousands, form.groups)
    return _bare_column(text, form).str.contains(f"{pattern}|^{INFINITE}$")


def parse_numbers(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells as float64, null where a cell is not a finite number."""
    number = _any_number(text, form)
    return pl.when(number.is_finite()).then(number)


def is_infinite(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return whether cells are numbers that float64 cannot hold, such as `inf`."""
    return _any_number(text, form).is_infinite()


def _any_number(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    bare = _bare_column(text, form)
    plain = pl.when(is_number(text, form)).then(_plain_column(bare, form))
    return plain.cast(pl.Float64, strict=False)


def digits(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells as digits with a sign; null where a cell is no whole number."""
    plain = _plain_column(_bare_column(text, form), form)
    return pl.when(plain.str.contains(r"^[+-]?[0-9]+$")).then(plain)


def parse_number(text: str, form: ColumnFormat) -> float | None:
    """Return the number in one trimmed cell; None if the cell is not a number.

    A number too large for float64 becomes infinite, like `inf`.
    """
    bare = _bare_cell(text, form)
    if re.fullmatch(INFINITE, bare):
        return float(bare)
    if not re.match(number_pattern(form.decimal, form.thousands, form.groups), bare):
        return None
    return float(_plain_cell(bare, form))


def _rewrites(form: ColumnFormat) -> list[tuple[str, str]]:
    """Return the replacements (of regular expressions) that leave a bare number."""
    found = []
    if signs := "".join(sign for sign in form.minus if sign != TRAILING_MINUS):
        found.append((f"[{signs}]", "-"))
    if form.unit:
        found.append((rf"[{_SPACES}]*{re.escape(form.unit)}$", ""))
    if form.affixes:
        found += [(_AFFIX, ""), (r"^\s+|\s+$", "")]
        found.append((r"^\(\s*(.*?)\s*\)$", "-$1"))
    if form.affixes or form.minus:
        found.append((r"^([+-])\s+", "$1"))
    if TRAILING_MINUS in form.minus:
        found.append((r"^([0-9].*?)\s*-$", "-$1"))
    return found


def _bare_column(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return cells without signs and units; `(3)` and `3-` become `-3`."""
    for pattern, target in _rewrites(form):
        text = text.str.replace_all(pattern, target)
    return text


def _bare_cell(text: str, form: ColumnFormat) -> str:
    for pattern, target in _rewrites(form):
        text = re.sub(pattern, target.replace("$", "\\"), text)
    return text


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
