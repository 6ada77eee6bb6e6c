"""The rule book of values: what a cell of an instance may be (docs/values.md)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.cells import (
    INFINITE_WORDS,
    NULLS,
    parse_boolean,
    parse_datetime,
    parse_number,
)
from core.models.signature import MISSING, Feature, NumericEncoder
from fitserve.problems import FieldError
from fitserve.statuses import ColumnType

Column = NDArray[Any]
Warning_ = dict[str, Any]
MOST_TOLD = 20
_MOST_WARNINGS = 100
_FEW = 8


@dataclass
class Notes:
    """What is to be said about the instances: errors refuse them, warnings do not."""

    errors: list[FieldError] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)

    def warn(self, row: int | None, column: str, detail: str) -> None:
        """Say something about a cell, or about a column where `row` is None."""
        if len(self.warnings) < _MOST_WARNINGS:
            told = {"row": row, "column": column[:100], "detail": detail}
            self.warnings.append(told)

    def refuse(self, row: int, column: str, cell: Any, wanted: str) -> None:
        """Say that a cell does not fit."""
        if len(self.errors) < MOST_TOLD:
            error = FieldError(
                pointer=f"#/instances/{row}",
                detail=f"row {row}, column {column!r}: got {str(cell)[:80]!r}, "
                f"expected {wanted}",
                row=row,
                column=column,
            )
            self.errors.append(error)


class CellReader:
    """Turns the cells of one column into its raw array.

    Args:
        feature: the column's type, format and encoder.
        nulls: the texts that mean "missing"; the usual ones if None.

    """

    def __init__(self, feature: Feature, nulls: list[str] | None) -> None:
        self.name = feature.name
        self._feature = feature
        self._nulls = frozenset(NULLS if nulls is None else ["", *nulls])
        self._strays = frozenset(feature.format.strays)
        encoder = feature.encoder
        self._vocabulary = frozenset(getattr(encoder, "vocabulary", ()))
        self._least = self._greatest = None
        if isinstance(encoder, NumericEncoder):
            self._least, self._greatest = encoder.least, encoder.greatest

    def read(self, cells: list[Any], notes: Notes) -> Column:
        """The cells as float64 or strings `[N, 1]`; errors and warnings into `notes`."""
        if self._feature.is_text:
            return self._texts(cells, notes)
        if all(type(cell) is float or type(cell) is int for cell in cells):
            try:
                numbers = np.array(cells, np.float64)
            except OverflowError:
                numbers = self._numbers(cells, notes)  # names the integer
        else:
            numbers = self._numbers(cells, notes)
        self._compare(numbers, notes)
        return numbers[:, None]

    def _numbers(self, cells: list[Any], notes: Notes) -> NDArray[np.float64]:
        numbers = [self._number(i, cell, notes) for i, cell in enumerate(cells)]
        return np.array(numbers, np.float64)

    def _number(self, row: int, cell: Any, notes: Notes) -> float:
        number = self._number_or_none(row, cell, notes)
        if number is None:
            notes.refuse(row, self.name, cell, _WANTED[self._feature.type])
            return math.nan
        if math.isinf(number):
            notes.warn(row, self.name, "not finite, so it counts as missing")
            return math.nan
        return number

    def _number_or_none(self, row: int, cell: Any, notes: Notes) -> float | None:
        if cell is None:
            self._tell_missing(row, notes)
            return math.nan
        if isinstance(cell, str):
            return self._number_in(row, cell.strip(), notes)
        if isinstance(cell, bool | int | float):
            try:
                return float(cell)
            except OverflowError:
                return None
        return None

    def _number_in(self, row: int, text: str, notes: Notes) -> float | None:
        if text in self._nulls:
            self._tell_missing(row, notes)
            return math.nan
        if text in self._strays:
            notes.warn(row, self.name, f"{text[:40]!r} counts as missing, as in training")
            return math.nan
        match self._feature.type:
            case ColumnType.DATETIME:
                return parse_datetime(text, self._feature.format.datetime)
            case ColumnType.BOOLEAN:
                number = parse_boolean(text)
                return number if number is not None else self._plain(text)
        return self._plain(text)

    def _plain(self, text: str) -> float | None:
        if text.lower() in INFINITE_WORDS:
            return math.inf
        return parse_number(text, self._feature.format)

    def _tell_missing(self, row: int, notes: Notes) -> None:
        if not self._feature.has_missing:
            notes.warn(row, self.name, "missing; it never was in the training rows")

    def _compare(self, numbers: NDArray[np.float64], notes: Notes) -> None:
        """Tell of what lies outside the training rows' range."""
        if self._least is None or self._greatest is None:
            return
        if len(numbers) <= _FEW:  # without NumPy's overhead
            values = numbers.tolist()
            odd: Sequence[int] = [
                i for i, v in enumerate(values) if v < self._least or v > self._greatest
            ]
        else:
            outside = (numbers < self._least) | (numbers > self._greatest)
            odd = (
                np.flatnonzero(outside)[:_MOST_WARNINGS].tolist() if outside.any() else []
            )
        for i in odd:
            told = f"{numbers[i]:g} is outside the training rows' {self._least:g} to "
            notes.warn(i, self.name, f"{told}{self._greatest:g}")

    def _texts(self, cells: list[Any], notes: Notes) -> Column:
        texts = [self._text(i, cell, notes) for i, cell in enumerate(cells)]
        return np.array(texts, object)[:, None]

    def _text(self, row: int, cell: Any, notes: Notes) -> str:
        text = _as_text(cell)
        if text is None:
            notes.refuse(row, self.name, cell, "text")
            return MISSING
        if text in self._nulls:
            self._tell_missing(row, notes)
            return MISSING
        if text not in self._vocabulary:
            notes.warn(row, self.name, f"{text[:40]!r} is not among the categories known")
        return text


_WANTED = {
    ColumnType.NUMERIC: "a number",
    ColumnType.BOOLEAN: "a boolean",
    ColumnType.DATETIME: "a date or time, such as 2026-01-31T12:00:00",
}


def _as_text(cell: Any) -> str | None:
    """A cell as a category, written as the dataset would hold it."""
    match cell:
        case None:
            return MISSING
        case str():
            return cell.strip()
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case int() | float():
            return str(cell)
    return None
