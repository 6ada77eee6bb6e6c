"""The rule book of values: what a cell of an instance may be (docs/values.md)."""

import math
from collections.abc import Sequence
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
from fitserve.statuses import ColumnType
from service.predictor.notes import MOST_WARNINGS, Notes
from service.predictor.table import Texts

Cells = Sequence[Any] | NDArray[Any]
_NOT_FINITE = "not finite, so it counts as missing"


class _CellReader:
    """What numbers and texts have in common.

    Args:
        feature: the column's type, format and encoder.
        nulls: the texts that mean "missing"; the usual ones if None.

    """

    def __init__(self, feature: Feature, nulls: list[str] | None) -> None:
        self.name = feature.name
        self._feature = feature
        self._nulls = frozenset(NULLS if nulls is None else ["", *nulls])

    def _tell_missing(self, row: int, notes: Notes) -> None:
        if not self._feature.has_missing:
            notes.warn(row, self.name, "missing; it never was in the training rows")


class NumberReader(_CellReader):
    """Turns the cells of a column of numbers, booleans or moments into float64 `[N]`."""

    def __init__(self, feature: Feature, nulls: list[str] | None) -> None:
        super().__init__(feature, nulls)
        self._strays = frozenset(feature.format.strays)
        self.least: float | None = None
        self.greatest: float | None = None
        if isinstance(feature.encoder, NumericEncoder):
            self.least, self.greatest = feature.encoder.least, feature.encoder.greatest

    def read(self, cells: Cells, notes: Notes) -> NDArray[np.float64]:
        """The numbers, NaN where missing; errors and warnings into `notes`."""
        if isinstance(cells, np.ndarray):
            if cells.dtype.kind in "fiub":
                return self._array(cells.astype(np.float64), notes)
            cells = cells.tolist()
        numbers = [self._number(i, cell, notes) for i, cell in enumerate(cells)]
        return np.array(numbers, np.float64)

    def _array(self, numbers: NDArray[np.float64], notes: Notes) -> NDArray[np.float64]:
        if np.isfinite(numbers).all():
            return numbers
        infinite = np.isinf(numbers)
        for row in np.flatnonzero(infinite)[:MOST_WARNINGS].tolist():
            notes.warn(row, self.name, _NOT_FINITE)
        for row in np.flatnonzero(np.isnan(numbers))[:MOST_WARNINGS].tolist():
            self._tell_missing(row, notes)
        return np.where(infinite, math.nan, numbers)

    def _number(self, row: int, cell: Any, notes: Notes) -> float:
        number = self._number_or_none(row, cell, notes)
        if number is None:
            notes.refuse(row, self.name, cell, _WANTED[self._feature.type])
            return math.nan
        if math.isinf(number):
            notes.warn(row, self.name, _NOT_FINITE)
            return math.nan
        return number

    def _number_or_none(self, row: int, cell: Any, notes: Notes) -> float | None:
        if cell is None or cell != cell:  # NaN  # noqa: PLR0124
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


class TextReader(_CellReader):
    """Turns the cells of a column of categories into strings `[N]`, "" where missing."""

    def __init__(self, feature: Feature, nulls: list[str] | None) -> None:
        super().__init__(feature, nulls)
        self._vocabulary = frozenset(getattr(feature.encoder, "vocabulary", ()))
        self._plain = self._vocabulary - self._nulls

    def read(self, cells: Cells, notes: Notes) -> Texts:
        """The strings; errors and warnings into `notes`."""
        listed = cells.tolist() if isinstance(cells, np.ndarray) else cells
        if not self._are_plain(listed):
            listed = [self._text(i, cell, notes) for i, cell in enumerate(listed)]
        texts = np.empty(len(listed), object)
        texts[:] = listed
        return texts

    def _are_plain(self, cells: Sequence[Any]) -> bool:
        try:
            return self._plain.issuperset(cells)
        except TypeError:  # a list or an object, which is named as it is refused
            return False

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
