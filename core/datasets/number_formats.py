"""Ways to write numbers: found in a sample, checked and converted over whole columns."""

import re
from collections.abc import Iterable

import polars as pl

from core.datasets.cells import AFFIX, INFINITE, number_pattern
from fitserve.schemas.datasets import ColumnFormat

_POINT = [("", "."), (",", "."), (" ", "."), ("'", ".")]
_COMMA = [("", ","), (".", ","), (" ", ","), ("'", ",")]
_SHARE = 0.9


def number_format(
    sample: list[str], decimal: str | None, *, comma_first: bool
) -> ColumnFormat | None:
    """The first way that most of the sample is written in, or None.

    `decimal` settles the mark; `comma_first` says which to try first for what could be
    either, such as `1,234`.
    """
    affixes = sorted(_affixes(sample))
    ways = {".": _POINT, ",": _COMMA}.get(decimal or "")
    if ways is None:
        # a plain number is plain everywhere; only what is not needs a guess
        ways = [_POINT[0], *(_COMMA + _POINT if comma_first else _POINT + _COMMA)]
    for thousands, mark in ways:
        form = ColumnFormat(decimal=mark, thousands=thousands, affixes=affixes)
        if _fits(sample, form):
            return form
    return None


def _affixes(sample: Iterable[str]) -> set[str]:
    found = {sign for text in sample for sign in re.findall(AFFIX, text)}
    if any(re.fullmatch(r"\(\s*[0-9.,' ]+\s*\)", text) for text in sample):
        found.add("()")
    return found


def _fits(sample: list[str], form: ColumnFormat) -> bool:
    frame = pl.DataFrame({"text": sample}, schema={"text": pl.String})
    return bool(frame.select(is_number(pl.col("text"), form).mean()).item() >= _SHARE)


def is_number(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Whether cells are numbers in this way; what is infinite counts."""
    bare = _bare(text, form)
    pattern = number_pattern(form.decimal, form.thousands)
    return bare.str.contains(f"{pattern}|^{INFINITE}$")


def to_number(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    """Cells as float64; null where they are no finite numbers."""
    bare = _bare(text, form)
    plain = pl.when(is_number(text, form)).then(_plain(bare, form))
    number = plain.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _bare(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    if not form.affixes:
        return text
    bare = text.str.replace_all(AFFIX, "").str.strip_chars()
    bare = bare.str.replace(r"^\(\s*(.*?)\s*\)$", "-$1")
    return bare.str.replace(r"^([+-])\s+", "$1")


def _plain(text: pl.Expr, form: ColumnFormat) -> pl.Expr:
    if form.thousands:
        marks = r"[ \x{a0}\x{202f}]" if form.thousands == " " else None
        text = text.str.replace_all(marks or form.thousands, "", literal=marks is None)
    return text.str.replace(form.decimal, ".", literal=True)
