"""Cells of numbers that need a warning, and numbers that are better kept as text."""

from __future__ import annotations

from collections.abc import Mapping

from core.columns.base import LARGEST_EXACT, Marked, with_and_without
from core.columns.number_formats import (
    CURRENCY,
    PERCENT,
    digits,
    is_infinite,
    is_number,
)
from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat

COMPACT_DATE = r"^(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$"
"""A date as YYYYMMDD, which is a whole number too."""

_SEVERAL = 0.05
"""From this share of cells, leading zeros and long numbers show codes, not numbers."""
_MOSTLY = 0.5


_ALERT = (
    r"(?i)inf|e\+?[0-9]{3}|^[^0-9.,]*(?:0[0-9]|[0-9]{16}|(?:[0-9]{1,3}[^0-9]){5})"
    r"|^(?:19|20)[0-9]{6}$"
)
"""Infinite numbers, leading zeros, long numbers and dates; other numbers too."""


LOOKS_PLAIN_ONLY = rf"^[+-]?0[0-9]|^[+-]?[0-9]{{16}}|{COMPACT_DATE}"
"""Cells that may be codes, ids or dates, although they look like plain numbers."""


def number_alert(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Return whether a cell may be one of `number_marks`, by one search."""
    return text.is_not_null() if form.affixes else text.str.contains(_ALERT)


def number_marks(text: pl.Expr, form: ColumnFormat) -> dict[str, pl.Expr]:
    """Return flags of numbers that may need a warning, by what they have."""
    whole = digits(text, form)
    fits = is_number(text, form)
    long = whole.str.len_chars() >= len(str(LARGEST_EXACT))
    marks = {
        "infinite": is_infinite(text, form),
        "zero": whole.str.contains(r"^[+-]?0[0-9]"),
        "fraction": fits & whole.is_null() & ~is_infinite(text, form),
        "huge": long & (whole.cast(pl.Float64, strict=False).abs() >= LARGEST_EXACT),
        "date": text.str.contains(COMPACT_DATE),
    }
    return {**marks, **_sign_marks(text, form, fits)}


def _sign_marks(text: pl.Expr, form: ColumnFormat, fits: pl.Expr) -> dict[str, pl.Expr]:
    """Return flags of cells by their signs, for a column of more than one notation."""
    marks: dict[str, pl.Expr] = {}
    if {"%", "‰"} & set(form.affixes) and form.percent == "number":
        has_sign = text.str.contains(PERCENT)
        marks |= {"percent": fits & has_sign, "no percent": fits & ~has_sign}
    if known := _currencies(form):
        currency = text.str.extract(f"({CURRENCY})")
        marks |= {f"currency {sign}": fits & (currency == sign) for sign in known}
        marks["currency other"] = fits & ~currency.is_in(known)
    return marks


def _currencies(form: ColumnFormat) -> list[str]:
    return [sign for sign in form.affixes if sign not in ("%", "‰", "()")]


def is_mixed(text: pl.Expr, form: ColumnFormat) -> pl.Expr | None:
    """Return whether a cell has other signs than the format; None if none can have."""
    if not form.affixes:
        return None
    is_fraction = pl.lit(form.percent == "fraction")
    percent = text.str.contains(PERCENT)
    currency = text.str.extract(f"({CURRENCY})")
    return pl.any_horizontal(
        (~percent if {"%", "‰"} & set(form.affixes) else percent) & ~is_fraction,
        currency.is_not_null() & ~currency.is_in(_currencies(form)),
    )


def number_doubt(marked: Mapping[str, Marked], present: int) -> str | None:
    """Return the reason why digits are codes or too long for numbers, or None."""
    if "fraction" in marked:
        return None
    zero, huge = marked.get("zero"), marked.get("huge")
    if zero and zero.count >= _SEVERAL * present:
        return (
            f"{zero.count:,} of {present:,} cells begin with 0, such as "
            f"{zero.example!r}: kept as codes; give the column the type numeric if they "
            "are numbers"
        )
    if huge and huge.count >= _SEVERAL * present:
        return (
            f"{huge.count:,} of {present:,} cells are whole numbers beyond 2^53, such as "
            f"{huge.example!r}, which a network would round: kept as text; give the "
            "column the type numeric if rounding does not matter"
        )
    return None


def number_remarks(marked: Mapping[str, Marked], present: int) -> list[str]:
    """Return the warnings about the cells of a numeric column."""
    notes = [_about(what, own) for what, own in marked.items() if what in _ABOUT]
    date = marked.get("date")
    if date and date.count >= _MOSTLY * present:
        notes.append(
            f"{date.count:,} of {present:,} cells could be dates, such as "
            f"{date.example!r}; give the column the type datetime if they are"
        )
    return [*notes, *_percent_remarks(marked), *_currency_remarks(marked)]


_ABOUT = {
    "infinite": "{} cell(s) are infinite, such as {}, and count as missing",
    "zero": "{} cell(s) begin with 0, such as {}, and are read as numbers; give the "
    "column the type categorical if they are codes",
    "huge": "{} cell(s) are whole numbers beyond 2^53, such as {}, and are rounded; give "
    "the column the type categorical or text if they are ids",
}


def _about(what: str, own: Marked) -> str:
    return _ABOUT[what].format(f"{own.count:,}", repr(own.example))


def _percent_remarks(marked: Mapping[str, Marked]) -> list[str]:
    return with_and_without(
        marked,
        "percent",
        "a percent sign",
        "the sign is dropped and nothing is divided by 100: write all cells in one way",
    )


def _currency_remarks(marked: Mapping[str, Marked]) -> list[str]:
    found = [own for what, own in marked.items() if what.startswith("currency ")]
    if len(found) < 2:
        return []
    shown = ", ".join(f"{own.count:,} such as {own.example!r}" for own in found)
    warning = (
        f"several currencies in one column: {shown}; their numbers are not converted: "
        "use one currency, or one column for each"
    )
    return [warning]
