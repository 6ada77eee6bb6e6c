"""Columns of two opposite words, such as yes and no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.columns.base import MOST_SAMPLED, Candidate, Hints, NumberKind, Schema, Seen
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.predict import Cell

TRUE, FALSE = ("true", "yes", "y", "t", "on"), ("false", "no", "n", "f", "off")
"""Words for true and false; opposite words have the same index."""
_ONE, _ZERO = ("1", "1.0"), ("0", "0.0")
"""Also booleans, but only in a column with words above, or if the user gives the type."""
_CASES = (str.lower, str.title, str.upper)
_SHOWN = 5


class Boolean(NumberKind):
    """True and false; `format.labels` holds the words that the column uses."""

    type = ColumnType.BOOLEAN
    wanted = "a boolean"
    encoding = "numeric"
    tensor = "BOOL"
    stands_for = frozenset({ColumnType.NUMERIC})

    def recognise(self, sample: list[str], hints: Hints) -> list[Candidate]:
        words = sum(text.lower() in TRUE + FALSE for text in sample)
        return self._candidates(sample) if words >= MOST_SAMPLED * len(sample) else []

    def given(self, sample: list[str], hints: Hints) -> list[Candidate]:
        return self._candidates(sample)

    def _candidates(self, sample: list[str]) -> list[Candidate]:
        form = ColumnFormat(labels=boolean_labels(sample))
        return [Candidate(self, form, spellings=_merged(sample))]

    def fits(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        return text.str.to_lowercase().is_in(TRUE + FALSE + _ONE + _ZERO)

    def parse_column(self, text: pl.Expr, form: ColumnFormat) -> pl.Expr:
        low = text.str.to_lowercase()
        return pl.when(self.fits(text, form)).then(low.is_in(TRUE + _ONE))

    def classes(self, values: list[Any], form: ColumnFormat) -> list[Any]:
        return list(form.labels or values)

    def parse_cell(self, text: str, form: ColumnFormat) -> float | None:
        low = text.lower()
        if low in TRUE + _ONE:
            return 1.0
        return 0.0 if low in FALSE + _ZERO else None

    def statistics(self, column: pl.Expr) -> dict[str, pl.Expr]:
        return {}

    def num_inputs(
        self,
        num_values: int,
        num_missing: int,
        num_bins: int | None,
    ) -> tuple[int, int]:
        return 1, 0

    def example(self, value: float | str | None, form: ColumnFormat) -> Cell:
        return value > 0 if isinstance(value, int | float) else value

    def describe(self, form: ColumnFormat, seen: Seen) -> tuple[Schema, str]:
        if seen.least is None or seen.least != seen.greatest:
            return {"type": "boolean"}, "True or false."
        always = seen.least > 0
        text = f"Always {always} in the training rows; {not always} causes a warning."
        return {"type": "boolean", "enum": [always]}, text.capitalize()


def boolean_labels(sample: Sequence[str]) -> list[str]:
    """Return the words that `sample` uses most for false and for true.

    If only one of the two words occurs, the other is its opposite in the same case. The
    list is empty if the words are JSON's own (`false`, `true`).
    """
    counts = Counter(cell for cell in sample if cell.lower() in FALSE + TRUE)
    no, yes = (_most(counts, words) for words in (FALSE, TRUE))
    if not (no or yes):
        return []
    labels = [no or _opposite(yes, TRUE, FALSE), yes or _opposite(no, FALSE, TRUE)]
    return [] if [label.lower() for label in labels] == ["false", "true"] else labels


def _merged(sample: Sequence[str]) -> tuple[str, ...]:
    """Return a note if several words of `sample` mean true, or several mean false."""
    counts = Counter(sample)
    sides = [
        [cell for cell, _ in counts.most_common() if cell.lower() in words]
        for words in (TRUE + _ONE, FALSE + _ZERO)
    ]
    shown = [", ".join(map(repr, side[:_SHOWN])) for side in sides if len(side) > 1]
    if not shown:
        return ()
    values = "one value" if len(shown) == 1 else "one value each"
    return (f"read as {values}: {'; and '.join(shown)}",)


def _most(counts: Counter[str], words: Sequence[str]) -> str:
    return next((cell for cell, _ in counts.most_common() if cell.lower() in words), "")


def _opposite(cell: str, own: Sequence[str], others: Sequence[str]) -> str:
    case = next((case for case in _CASES if case(cell) == cell), str.lower)
    return case(others[own.index(cell.lower())])
