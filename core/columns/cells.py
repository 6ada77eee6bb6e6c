"""The text of a cell: the blanks to trim, and the words that mean "missing"."""

import unicodedata

from fitserve.schemas.datasets import ColumnFormat

NULLS = (
    *("", "NA", "N/A", "n/a", "N.A.", "n.a.", "#N/A", "<NA>", "NaN", "nan", "NaT"),
    *("null", "NULL", "Null", "(null)", "\\N", "None", "none", "?", "-", "--", "."),
    *("#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"),
)
"""Cells that mean "missing"."""

BLANKS = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
)
"""Unicode's white space, which polars trims from cells too."""


def null_words(given: list[str] | None) -> list[str]:
    """Return the words that mean "missing": those of the upload, else `NULLS`."""
    return list(NULLS) if given is None else ["", *given]


def own_or(given: list[str] | None, form: ColumnFormat) -> list[str] | None:
    """Return the words of a column that has its own, else those of the table."""
    return given if form.null_values is None else form.null_values


def trimmed(text: str) -> str:
    """Return the text of a cell without the blanks around it."""
    return text.strip(BLANKS)


def plain_name(name: str) -> str:
    """Return a column name in the form used to compare names: trimmed, in NFC."""
    return composed(trimmed(name))


def composed(text: str) -> str:
    """Return a name or a category in Unicode's composed form (NFC).

    macOS and some databases write `ö` as `o` and a mark; both spellings must be equal.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)
