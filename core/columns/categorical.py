"""Columns of categories, and columns of text, which can be used as categories."""

from __future__ import annotations

from typing import Any

from core.columns.base import Candidate, ColumnKind, Hints, Schema, Seen, Stats
from core.columns.cells import composed
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell

MOST_CATEGORIES = 50
"""A column with more categories than this gets an embedding, not one-hot inputs."""

MOST_PLACES = 10_000
"""This many of the most frequent categories get an index; the others share one."""

FEW_CATEGORIES = 10
"""With up to this many categories, each one gets an input; with more, rare ones share
an input."""

FREE_TEXT = "free text, which fitserve does not read yet"
ID_OR_NAME = (
    "an id, a name, or free text, which fitserve does not read yet: nearly every row has "
    "a different value"
)
FREE_TEXTS = (FREE_TEXT, "free text")
"""The reason for leaving out free text, and how datasets of earlier releases have it."""
IDS_OR_NAMES = (ID_OR_NAME, "an id or a name: nearly every row has a different value")
"""The reason for leaving out different texts, and that of earlier releases."""
MOST_UNIQUE = 0.9
"""With at least this share of distinct values, text holds ids or names."""
_FREE_TEXT = 40
"""A column whose mean length is above this holds free text, not ids."""


class Categorical(ColumnKind):
    """Words from a small set, compared character by character (trimmed, in NFC)."""

    type = ColumnType.CATEGORICAL
    wanted = "text"
    encoding = "categories"
    tensor = "BYTES"
    stands_for = frozenset({ColumnType.TEXT})

    def recognise(self, sample: list[str], hints: Hints) -> list[Candidate]:
        """Return nothing: the counts over all rows decide; see `decide_types`."""
        return []

    def given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        return [Candidate(self, ColumnFormat())]

    def fits(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return text.is_not_null()

    def parse_column(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return text

    def raw(self, column: pl.Series) -> pl.Series:
        """Return the categories as text in NFC; null is missing."""
        text = column.cast(pl.String)
        is_ascii = bool((text.str.len_bytes() == text.str.len_chars()).all())
        return text if is_ascii else text.str.normalize("NFC")

    def parse_cell(self, text: str, form: ColumnFormat) -> str:
        return composed(text)

    def spellings(self, cell: Any) -> tuple[str, ...]:
        """Return the texts that a JSON cell may stand for, the most likely first.

        A whole number has two spellings (`3`, `3.0`), any other number one, and a boolean
        three. Lists and objects have none.
        """
        match cell:
            case bool():
                word = str(cell)
                return (word.lower(), word, word.upper())
            case int() | float():
                return _spelled(cell)
        return ()

    def statistics(self, column: pl.Expr) -> dict[str, pl.Expr]:
        return {
            "length": column.str.len_chars().mean(),
            "bytes": column.str.len_bytes().max(),
            "nul": column.str.contains("\0", literal=True).any(),
        }

    def num_inputs(
        self, num_values: int, num_missing: int, num_bins: int | None
    ) -> tuple[int, int]:
        categories = min(num_values + (num_missing > 0), MOST_PLACES)
        if categories <= MOST_CATEGORIES:
            return categories + (categories > FEW_CATEGORIES), 0
        dim = embedding_dim(categories)
        return dim, dim * (categories + 1)

    def example(self, value: float | str | None, form: ColumnFormat) -> Cell:
        return value

    def describe(self, form: ColumnFormat, seen: Seen) -> tuple[Schema, str]:
        known = list(seen.categories)
        place = "share an input with rare ones" if seen.is_shared else "have no input"
        noun = "category is" if len(known) == 1 else "categories are"
        text = f"{len(known)} {noun} known; others cause a warning, and {place}."
        return {"type": "string", "enum": known}, text


class Text(Categorical):
    """Free text, names and ids: left out of training unless the user asks for it."""

    type = ColumnType.TEXT
    stands_for = frozenset({ColumnType.CATEGORICAL})

    def left_out(self, name: str, stats: Stats, column: pl.LazyFrame) -> str | None:
        if (stats.length or 0) > _FREE_TEXT:
            return FREE_TEXT
        if stats.unique >= MOST_UNIQUE * stats.present:
            return ID_OR_NAME
        return f"text with {stats.unique:,} values, too many for categories"


def _spelled(number: float) -> tuple[str, ...]:
    text = str(number)
    if isinstance(number, int):
        return (text, f"{text}.0")
    is_whole = number.is_integer() and "e" not in text
    return (text, str(int(number))) if is_whole else (text,)


def embedding_dim(num_categories: int) -> int:
    """Return how many numbers represent one category.

    This is the rule of thumb of Howard and Gugger, "fastai: A Layered API for Deep
    Learning", 2020, but with at most 32 numbers instead of 600.
    """
    return int(min(32, round(1.6 * num_categories**0.56)))
