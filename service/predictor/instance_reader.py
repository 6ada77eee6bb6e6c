"""Read the instances of a predict request into a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.columns.cells import plain_name
from core.errors import InvalidInstances, TooLarge
from core.lazy import pl
from core.models.input_table import Table
from core.models.signature import Feature, Signature
from fitserve.enums import ColumnType
from fitserve.names import nearest
from fitserve.problems import FieldError
from fitserve.schemas.datasets import ColumnFormat
from service.predictor.notes import MAX_WARNINGS, Notes, RowWarning, error_at, refuse
from service.predictor.values import Cells, NumberReader, TextReader

_PLAIN = frozenset({float, int, bool})
"""Types of cells that NumPy converts as docs/values.md requires."""
_LARGEST = float(np.finfo(np.float64).max)
"""The bound of a column without a range: all numbers but NaN and infinity are inside."""


class ParsedInstances(NamedTuple):
    """Rows as a table, and the warnings about them."""

    table: Table
    warnings: list[RowWarning]


class InstanceReader:
    """Read the instances of one version; one object serves every request.

    A row that is a list has the features in the order of the signature.
    """

    def __init__(self, signature: Signature, most_rows: int = 100_000) -> None:
        self.most_rows = most_rows
        features, nulls = signature.features, signature.null_values
        self._features = {feature.name: feature for feature in features}
        self.names = [feature.name for feature in features]
        self._moments = {
            f.name
            for f in features
            if f.type == ColumnType.DATETIME and f.format.timezone is None
        }
        self._harmless = frozenset([*self.names, *signature.ignored, signature.target])
        self._spelled = {plain_name(name): name for name in self._harmless}
        self._numbers = [
            NumberReader(f, nulls, signature.reading) for f in features if not f.is_text
        ]
        self._texts = [TextReader(f, nulls) for f in features if f.is_text]
        self._with_null_numbers = [
            (i, r) for i, r in enumerate(self._numbers) if r.null_numbers
        ]
        self._converting = [i for i, r in enumerate(self._numbers) if not r.is_direct]
        self._ordered = [reader.name for reader in (*self._numbers, *self._texts)]
        self._pick = _picker(self._ordered)
        self._is_direct = not (self._converting or self._with_null_numbers)
        self._least = _bounds([r.least for r in self._numbers], -_LARGEST)
        self._greatest = _bounds([r.greatest for r in self._numbers], _LARGEST)

    def read_instances(self, instances: Sequence[Any]) -> ParsedInstances:
        """Read rows that are objects, or lists in the order of the features."""
        self.refuse_too_many(len(instances))
        notes = Notes()
        kinds = set(map(type, instances))
        if kinds <= {dict}:
            return self._read_objects(instances, notes)
        if kinds == {list}:
            table = _of_lists(instances, self.names)
            return self._read([table[name] for name in self._ordered], notes)
        raise InvalidInstances(
            "Expected every instance to be an object of column names and values, or "
            "every instance to be a list of values."
        )

    def read_table(self, columns: Any, data: Sequence[Any]) -> ParsedInstances:
        """Read rows whose cells are in the order of the names in `columns`."""
        self.refuse_too_many(len(data))
        return self.read_columns(_of_lists(data, _names(columns)))

    def read_columns(self, columns: Mapping[str, Cells]) -> ParsedInstances:
        """Read cells by column, as lists or arrays `[N]`; refuse different lengths."""
        sizes = set(map(len, columns.values()))
        self.refuse_too_many(max(sizes, default=0))
        if len(sizes) > 1:
            each = ", ".join(f"{n[:40]}: {len(columns[n])}" for n in islice(columns, 20))
            raise InvalidInstances(f"Columns differ in their number of rows: {each}.")
        notes = Notes()
        columns = self._by_name(columns, notes)
        return self._read([columns[name] for name in self._ordered], notes)

    def read_cells(
        self,
        cells: pl.DataFrame,
        decimal: str | None = None,
        forms: Mapping[str, ColumnFormat] | None = None,
    ) -> ParsedInstances:
        """Read the cells of a file: numbers, booleans, moments, and trimmed texts.

        `decimal` is the decimal mark of the file, and `forms` has the formats of columns,
        if they differ from the model's.
        """
        self.refuse_too_many(cells.height)
        notes = Notes()
        columns = self._by_name({column.name: column for column in cells}, notes)
        numbers = np.empty((len(self._numbers), cells.height), np.float64)
        for i, reader in enumerate(self._numbers):
            form = (forms or {}).get(reader.name) or reader.form_with(decimal)
            numbers[i] = reader.read_column(columns[reader.name], form, notes)
        self._warn_outside_range(numbers, notes)
        strings = [columns[reader.name].to_list() for reader in self._texts]
        return self._table(numbers, strings, notes)

    def needs(self, name: str) -> bool:
        """Return whether the model has a feature of this name."""
        return self.spelling(name) in self._features

    def has_moments(self, name: str) -> bool:
        """Return whether a column is a feature of dates and times, UTC without a zone."""
        return self.spelling(name) in self._moments

    def _by_name(self, given: Mapping[str, Any], notes: Notes) -> Mapping[str, Any]:
        """Return columns by the model's spelling of their names; warn of unknown ones.

        Raises InvalidInstances if a column is missing.
        """
        columns = self._trimmed(given)
        self._check_names(columns, None, notes)
        return columns

    def refuse_too_many(self, num_rows: int) -> None:
        """Raise TooLarge if a request has too many rows; call it before reading them."""
        if num_rows > self.most_rows:
            raise TooLarge(
                f"The request has {num_rows:,} rows; the limit is {self.most_rows:,}."
            )

    def _read(self, columns: Sequence[Cells], notes: Notes) -> ParsedInstances:
        """Read columns that are in the order of the table: numbers first, then texts."""
        split = len(self._numbers)
        numbers = _as_numbers(columns[:split])
        if numbers is None or not self._are_ordinary(numbers):
            numbers = self._numbers_of(columns[:split], len(columns[0]), numbers, notes)
        return self._table(numbers, columns[split:], notes)

    def _read_objects(
        self, rows: Sequence[dict[str, Any]], notes: Notes
    ) -> ParsedInstances:
        """Read rows that are objects, fast if each has exactly the features."""
        picked = self._pick_all(rows)
        if picked is None:
            return self._read(self._columns_of_objects(rows, notes), notes)
        if not self._texts:  # convert all rows at once; the network reads row by row
            numbers = _as_numbers(picked)
            if numbers is not None and self._are_ordinary(numbers.T):
                return ParsedInstances(Table(numbers.T, []), notes.warnings)
        return self._read(list(zip(*picked, strict=True)), notes)

    def _are_ordinary(self, numbers: NDArray[np.float64]) -> bool:
        """Return whether numbers `[F, N]` need no conversion and no warning."""
        inside = (numbers >= self._least) & (numbers <= self._greatest)
        return self._is_direct and bool(np.logical_and.reduce(inside, axis=None))

    def _numbers_of(
        self,
        columns: Sequence[Cells],
        num_rows: int,
        plain: NDArray[np.float64] | None,
        notes: Notes,
    ) -> NDArray[np.float64]:
        """Read the columns one by one; `plain` has all cells if each is a number."""
        is_plain = plain is not None and bool(np.isfinite(plain).all())
        shape = len(columns), num_rows
        numbers = plain if plain is not None and is_plain else np.empty(shape, np.float64)
        for i in self._converting if is_plain else range(len(columns)):
            numbers[i] = self._numbers[i].read(columns[i], notes)
        for i, reader in self._with_null_numbers:
            reader.nulls_to_nan(numbers[i], notes)
        self._warn_outside_range(numbers, notes)
        return numbers

    def _table(
        self, numbers: NDArray[np.float64], columns: Sequence[Cells], notes: Notes
    ) -> ParsedInstances:
        pairs = zip(self._texts, columns, strict=True)
        texts = [reader.read(cells, notes) for reader, cells in pairs]
        refuse(notes.errors)
        return ParsedInstances(Table(numbers, texts), notes.warnings)

    def _warn_outside_range(self, numbers: NDArray[np.float64], notes: Notes) -> None:
        """Warn about numbers outside the range of the training rows."""
        outside = (numbers < self._least) | (numbers > self._greatest)
        if not outside.any():
            return
        for i, row in np.argwhere(outside)[:MAX_WARNINGS].tolist():
            reader = self._numbers[i]
            notes.warn(row, reader.name, reader.outside(numbers[i, row]))

    def _pick_all(self, rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]] | None:
        """Return the cells by row; None if the names in a row are not the model's."""
        width = len(self._ordered)
        try:
            picked = [self._pick(row) for row in rows if len(row) == width]
        except KeyError:
            return None
        return picked if len(picked) == len(rows) else None

    def _columns_of_objects(
        self, rows: Sequence[dict[str, Any]], notes: Notes
    ) -> Sequence[Cells]:
        """Return the columns of rows that are objects, after a check of their names."""
        known = frozenset(self.names)
        trimmed = [self._trimmed(row) for row in rows]
        for i, row in enumerate(trimmed):
            if len(row) != len(known) or not known.issuperset(row):
                self._check_names(row, i, notes)
        return [[row[name] for row in trimmed] for name in self._ordered]

    def _trimmed(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return cells by the model's spelling of their column names.

        Spaces around a name and its Unicode form are ignored.
        """
        variants = {
            known: name
            for name in given
            if name not in self._harmless and (known := self.spelling(name)) is not None
        }
        renamed = {own: given[name] for own, name in variants.items() if own not in given}
        if not renamed:
            return given
        replaced = {variants[own] for own in renamed}
        rest = {name: cell for name, cell in given.items() if name not in replaced}
        return {**rest, **renamed}

    def feature(self, name: str) -> Feature | None:
        """Return the feature of a column in any spelling; None if it has no feature."""
        return self._features.get(self.spelling(name) or "")

    def spelling(self, name: str) -> str | None:
        """Return the model's spelling of a column name, or None for an unknown name."""
        return self._spelled.get(plain_name(name))

    def _check_names(
        self, given: Mapping[str, Any], row: int | None, notes: Notes
    ) -> None:
        """Refuse missing columns, and warn about unknown ones."""
        unknown = [name for name in given if name not in self._harmless]
        refuse([_missing(row, n, unknown) for n in self.names if n not in given])
        for name in unknown:
            notes.warn(row, name, "not a column of this model")


def _picker(names: list[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def _names(columns: Any) -> list[str]:
    are_texts = isinstance(columns, list) and all(isinstance(c, str) for c in columns)
    if not are_texts or not columns or len(set(columns)) != len(columns):
        raise InvalidInstances("Expected `columns` to be a list of different names.")
    return list(columns)


def _bounds(limits: list[float | None], default: float) -> NDArray[np.float64]:
    known = [default if limit is None else limit for limit in limits]
    return np.array(known, np.float64)[:, None]


def _as_numbers(cells: Sequence[Cells]) -> NDArray[np.float64] | None:
    """Return rows or columns of cells as an array.

    Returns None if a cell is not a number, or an integer is too large for float64.
    """
    if not cells or not _are_plain(cells):
        return None
    try:
        return np.array(cells, np.float64)
    except OverflowError:  # the reader of the column refuses the integer
        return None


def _are_plain(columns: Sequence[Cells]) -> bool:
    arrays = [cells for cells in columns if isinstance(cells, np.ndarray)]
    if not arrays:
        return _PLAIN.issuperset(map(type, chain.from_iterable(columns)))
    are_numbers = all(cells.dtype.kind in "fiub" for cells in arrays)
    return are_numbers and len(arrays) == len(columns)


def _missing(row: int | None, name: str, given: list[str]) -> FieldError:
    """Return the error for a column that is missing in a row or in all rows."""
    if row is None:
        detail = f"the column {name!r} is missing"
        hint = "send it with nulls where its values are unknown"
    else:
        detail = f"row {row} has no value for the column {name!r}"
        hint = "send null where a value is unknown"
    near = nearest(name, given)
    if near:
        hint = f"rename `{near[:100]}` to it, if that is the column"
    return error_at(row, name, detail, hint)


def _of_lists(rows: Sequence[Any], names: list[str]) -> dict[str, Cells]:
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            is_list = isinstance(row, list)
            given = f"has {len(row)} value(s)" if is_list else "is not a list of values"
            raise InvalidInstances(
                f"Row {i} {given}; expected {len(names)}, in the order "
                f"{', '.join(names[:50])}."
            )
    return dict(zip(names, zip(*rows), strict=True))  # noqa: B905  lengths were checked
