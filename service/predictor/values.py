"""Read the cells of instances, column by column (docs/values.md).

The class of a column's type, in `core.columns`, defines the meaning of its cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.columns import READING
from core.columns.cells import null_words, own_or, trimmed
from core.columns.number_formats import with_decimal
from core.lazy import pl
from core.models.input_table import Texts
from core.models.signature import MISSING, DatetimeEncoder, Feature, NumericEncoder
from fitserve.schemas.datasets import ColumnFormat
from service.predictor.notes import Notes

Cells = Sequence[Any] | NDArray[Any]
_NEVER_MISSING = "missing, although every training row had a value"
_NOT_FINITE = "not finite, so it counts as missing"


class _CellReader:
    """The base of the readers; `nulls` replaces the default texts of missing cells."""

    def __init__(self, feature: Feature, nulls: list[str] | None) -> None:
        self.name = feature.name
        self._feature = feature
        self._kind = feature.kind
        self._nulls = frozenset(null_words(own_or(nulls, feature.format)))

    def _warn_missing(self, row: int, notes: Notes) -> None:
        if not self._feature.has_missing:
            notes.warn(row, self.name, _NEVER_MISSING)

    def _warn_missing_where(self, rows: NDArray[np.bool_], notes: Notes) -> None:
        if not self._feature.has_missing:
            notes.warn_where(rows, self.name, _NEVER_MISSING)


class NumberReader(_CellReader):
    """Convert the cells of a column of numbers, booleans or moments to float64 `[N]`."""

    def __init__(
        self, feature: Feature, nulls: list[str] | None, reading: int = READING
    ) -> None:
        super().__init__(feature, nulls)
        words = own_or(nulls, feature.format) if reading > 1 else []
        found = (self._kind.parse_cell(word, feature.format) for word in words or [])
        self.null_numbers = [float(number) for number in found if number is not None]
        """Numbers that mean missing, such as -999, from the upload's options."""
        self._strays = frozenset(feature.format.strays)
        self.is_direct = not self._kind.converts_numbers(feature.format)
        """Whether a JSON number is the network's raw input, not the text of a date."""
        self.least: float | None = None
        self.greatest: float | None = None
        if isinstance(feature.encoder, NumericEncoder | DatetimeEncoder):
            self.least, self.greatest = feature.encoder.least, feature.encoder.greatest

    def outside(self, number: float) -> str:
        """Return the warning about a number outside the range of the training rows."""
        is_time = isinstance(self._feature.encoder, DatetimeEncoder)
        value, least, greatest = (
            str(self._kind.example(one, self._feature.format)) if is_time else f"{one:g}"
            for one in (number, self.least, self.greatest)
        )
        return f"{value} is outside the training rows' {least} to {greatest}"

    def read(self, cells: Cells, notes: Notes) -> NDArray[np.float64]:
        """Return the numbers, NaN where missing; add errors and warnings to `notes`."""
        if isinstance(cells, np.ndarray):
            if cells.dtype.kind in "fiub" and self.is_direct:
                return self._array(cells.astype(np.float64), notes)
            cells = cells.tolist()
        numbers = [self._number(i, cell, notes) for i, cell in enumerate(cells)]
        return np.array(numbers, np.float64)

    def nulls_to_nan(self, numbers: NDArray[np.float64], notes: Notes) -> None:
        """Replace numbers that mean missing by NaN, in place."""
        missing = np.isin(numbers, self.null_numbers)
        self._warn_missing_where(missing, notes)
        numbers[missing] = math.nan

    def _array(self, numbers: NDArray[np.float64], notes: Notes) -> NDArray[np.float64]:
        if np.isfinite(numbers).all():
            return numbers
        infinite = np.isinf(numbers)
        notes.warn_where(infinite, self.name, _NOT_FINITE)
        self._warn_missing_where(np.isnan(numbers), notes)
        return np.where(infinite, math.nan, numbers)

    def _number(
        self, row: int, cell: Any, notes: Notes, form: ColumnFormat | None = None
    ) -> float:
        number = self._number_or_none(row, cell, form or self._feature.format, notes)
        if number is None:
            wanted = self._kind.expected(self._feature.format, cell)
            notes.refuse(row, self.name, cell, wanted)
            return math.nan
        if math.isinf(number):
            notes.warn(row, self.name, _NOT_FINITE)
            return math.nan
        return number

    def _number_or_none(
        self, row: int, cell: Any, form: ColumnFormat, notes: Notes
    ) -> float | None:
        if cell is None or cell != cell:  # NaN  # noqa: PLR0124
            self._warn_missing(row, notes)
            return math.nan
        if isinstance(cell, str):
            return self._number_in(row, trimmed(cell), form, notes)
        if isinstance(cell, bool | int | float):
            try:
                return self._kind.from_number(float(cell), form)
            except OverflowError:
                return None
        return None

    def _number_in(
        self, row: int, text: str, form: ColumnFormat, notes: Notes
    ) -> float | None:
        if text in self._nulls:
            self._warn_missing(row, notes)
            return math.nan
        number = None if text in self._strays else self._kind.parse_cell(text, form)
        if number is None and (text in self._strays or form.more_strays):
            notes.warn(row, self.name, f"{text[:40]!r} counts as missing, as in training")
            return math.nan
        return None if number is None else float(number)

    def form_with(self, decimal: str | None) -> ColumnFormat:
        """Return the format of the column, with the decimal mark of a file if given."""
        return with_decimal(self._feature.format, decimal)

    def read_column(
        self, cells: pl.Series, form: ColumnFormat, notes: Notes
    ) -> NDArray[np.float64]:
        """Return the numbers of a column of a file, which may have a type of its own."""
        if cells.dtype == pl.String:
            return self.read_texts(cells, form, notes)
        if cells.dtype.is_temporal():
            cells = cells.dt.epoch("us") / 1e6
        elif not self.is_direct:
            return self.read(cells.to_list(), notes)
        numbers = cells.cast(pl.Float64).fill_null(math.nan).to_numpy(writable=True)
        numbers = self._array(numbers, notes)
        self.nulls_to_nan(numbers, notes)
        return numbers

    def read_texts(
        self, texts: pl.Series, form: ColumnFormat, notes: Notes
    ) -> NDArray[np.float64]:
        """Return the numbers in the trimmed cells of a file, parsed as in an upload.

        `form` is the format of the file's cells.
        """
        missing = texts.is_in(list(self._nulls)) | texts.is_null()
        present = pl.when(~missing).then(pl.lit(texts))
        parsed = pl.select(self._kind.parse_column(present, form)).to_series()
        numbers = np.array(self._feature.numbers(parsed))
        unparsed = np.isnan(numbers) & ~missing.to_numpy()
        for row in np.flatnonzero(unparsed).tolist():
            numbers[row] = self._number(row, texts[row], notes, form)
        self._warn_missing_where(missing.to_numpy(), notes)
        return numbers


class TextReader(_CellReader):
    """Convert the cells of a column of categories to strings `[N]`, "" where missing."""

    def __init__(self, feature: Feature, nulls: list[str] | None) -> None:
        super().__init__(feature, nulls)
        self._vocabulary = frozenset(feature.vocabulary)
        self._plain = self._vocabulary - self._nulls

    def read(self, cells: Cells, notes: Notes) -> Texts:
        """Return the strings; add errors and warnings to `notes`."""
        listed = cells.tolist() if isinstance(cells, np.ndarray) else cells
        if not self._are_plain(listed):
            listed = [self._text(i, cell, notes) for i, cell in enumerate(listed)]
        texts = np.empty(len(listed), object)
        texts[:] = listed
        return texts

    def _are_plain(self, cells: Sequence[Any]) -> bool:
        try:
            return self._plain.issuperset(cells)
        except TypeError:  # a list or an object: `_text` refuses it and names the cell
            return False

    def _text(self, row: int, cell: Any, notes: Notes) -> str:
        spellings = self._spellings(cell)
        if not spellings:
            wanted = self._kind.expected(self._feature.format, cell)
            notes.refuse(row, self.name, cell, wanted)
            return MISSING
        if not self._nulls.isdisjoint(spellings):
            self._warn_missing(row, notes)
            return MISSING
        known = (text for text in spellings if text in self._vocabulary)
        text = next(known, spellings[0])
        if text not in self._vocabulary:
            notes.warn(row, self.name, f"{text[:40]!r} is not a known category")
        return text

    def _spellings(self, cell: Any) -> tuple[str, ...]:
        """Return the possible spellings of a cell; lists and objects have none."""
        if cell is None or cell != cell:  # NaN  # noqa: PLR0124
            return (MISSING,)
        if isinstance(cell, str):
            return (str(self._kind.parse_cell(trimmed(cell), self._feature.format)),)
        return self._kind.spellings(cell)
