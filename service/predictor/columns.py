"""Convert instances to raw columns."""

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
from core.models.signature import Signature
from fitserve.names import nearest
from fitserve.problems import FieldError
from service.predictor.notes import MOST_WARNINGS, Notes, RowWarning, error_at, refuse
from service.predictor.table import Table
from service.predictor.values import Cells, NumberReader, TextReader

_PLAIN = frozenset({float, int, bool})
"""Types of cells that NumPy converts as docs/values.md says."""


class ReadColumns(NamedTuple):
    """Rows as a table, and the warnings about them."""

    table: Table
    warnings: list[RowWarning]


class RawColumns:
    """Read the instances of one version; one object serves every request.

    A row that is a list has the features in the order of the signature.
    """

    def __init__(self, signature: Signature, most_rows: int = 100_000) -> None:
        self.most_rows = most_rows
        features, nulls = signature.features, signature.null_values
        self.names = [feature.name for feature in features]
        self._harmless = frozenset([*self.names, *signature.ignored, signature.target])
        self._spelled = {plain_name(name): name for name in self._harmless}
        self._numbers = [
            NumberReader(f, nulls, signature.reading) for f in features if not f.is_text
        ]
        self._texts = [TextReader(f, nulls) for f in features if f.is_text]
        self._with_null_numbers = [
            (i, r) for i, r in enumerate(self._numbers) if r.null_numbers
        ]
        self._ordered = [reader.name for reader in (*self._numbers, *self._texts)]
        self._pick = _picker(self._ordered)
        self._least = _bounds([r.least for r in self._numbers], -np.inf)
        self._greatest = _bounds([r.greatest for r in self._numbers], np.inf)

    def of_instances(self, instances: Sequence[Any]) -> ReadColumns:
        """Read rows that are objects, or lists in the order of the features."""
        self.measure(len(instances))
        notes = Notes()
        if all(isinstance(row, dict) for row in instances):
            return self._read(self._of_objects(instances, notes), notes)
        if all(isinstance(row, list) for row in instances):
            table = _of_lists(instances, self.names)
            return self._read([table[name] for name in self._ordered], notes)
        raise InvalidInstances(
            "Expected every instance to be an object of column to value, or every "
            "one a list of values."
        )

    def of_table(self, columns: Any, data: Sequence[Any]) -> ReadColumns:
        """Read the rows in `data`, whose cells belong to the names in `columns`."""
        self.measure(len(data))
        return self.of_columns(_of_lists(data, _names(columns)))

    def of_columns(self, columns: Mapping[str, Cells]) -> ReadColumns:
        """Read cells by column, as lists or arrays `[N]`; refuse different lengths."""
        sizes = set(map(len, columns.values()))
        self.measure(max(sizes, default=0))
        if len(sizes) > 1:
            told = ", ".join(f"{n[:40]}: {len(columns[n])}" for n in islice(columns, 20))
            raise InvalidInstances(f"Columns differ in their number of rows: {told}.")
        notes = Notes()
        columns = self._by_name(columns, notes)
        return self._read([columns[name] for name in self._ordered], notes)

    def of_texts(self, texts: pl.DataFrame, decimal: str | None = None) -> ReadColumns:
        """Read the trimmed cells of a file, null where they are empty.

        `decimal` is the decimal mark of the file, if it differs from the model's.
        """
        self.measure(texts.height)
        notes = Notes()
        columns = self._by_name({column.name: column for column in texts}, notes)
        numbers = np.empty((len(self._numbers), texts.height), np.float64)
        for i, reader in enumerate(self._numbers):
            numbers[i] = reader.read_texts(columns[reader.name], decimal, notes)
        words = [columns[reader.name].to_list() for reader in self._texts]
        return self._table(numbers, words, notes)

    def _by_name(self, given: Mapping[str, Any], notes: Notes) -> Mapping[str, Any]:
        """Return columns by the model's names, and warn about unknown ones.

        Raises InvalidInstances if a column is missing.
        """
        columns = self._trimmed(given)
        self._check_names(columns, None, notes)
        return columns

    def measure(self, num_rows: int) -> None:
        """Raise TooLarge if a request has too many rows; call it before reading them."""
        if num_rows > self.most_rows:
            raise TooLarge(
                f"{num_rows:,} rows came; {self.most_rows:,} is the limit of a request."
            )

    def _read(self, columns: Sequence[Cells], notes: Notes) -> ReadColumns:
        """Read columns that are in the order of the table: numbers first, then texts."""
        split, num_rows = len(self._numbers), len(columns[0])
        numbers = _plain_numbers(columns[:split])
        if numbers is None:
            numbers = np.empty((split, num_rows), np.float64)
            for i, reader in enumerate(self._numbers):
                numbers[i] = reader.read(columns[i], notes)
        for i, reader in self._with_null_numbers:
            reader.forget_nulls(numbers[i], notes)
        return self._table(numbers, columns[split:], notes)

    def _table(
        self, numbers: NDArray[np.float64], columns: Sequence[Cells], notes: Notes
    ) -> ReadColumns:
        self._compare(numbers, notes)
        pairs = zip(self._texts, columns, strict=True)
        texts = [reader.read(cells, notes) for reader, cells in pairs]
        refuse(notes.errors)
        return ReadColumns(Table(numbers, texts), notes.warnings)

    def _compare(self, numbers: NDArray[np.float64], notes: Notes) -> None:
        """Warn about numbers outside the range of the training rows."""
        outside = (numbers < self._least) | (numbers > self._greatest)
        if not outside.any():
            return
        for i, row in np.argwhere(outside)[:MOST_WARNINGS].tolist():
            reader = self._numbers[i]
            said = f"{numbers[i, row]:g} is outside the training rows' "
            notes.warn(row, reader.name, f"{said}{reader.least:g} to {reader.greatest:g}")

    def _of_objects(
        self, rows: Sequence[dict[str, Any]], notes: Notes
    ) -> Sequence[Cells]:
        width = len(self._ordered)
        try:
            picked = [self._pick(row) for row in rows if len(row) == width]
        except KeyError:
            picked = []
        if len(picked) == len(rows):  # every row has these columns and no other
            return list(zip(*picked, strict=True))
        return self._of_odd_objects(rows, notes)

    def _of_odd_objects(
        self, rows: Sequence[dict[str, Any]], notes: Notes
    ) -> Sequence[Cells]:
        known = frozenset(self.names)
        trimmed = [self._trimmed(row) for row in rows]
        for i, row in enumerate(trimmed):
            if len(row) != len(known) or not known.issuperset(row):
                self._check_names(row, i, notes)
        return [[row[name] for row in trimmed] for name in self._ordered]

    def _trimmed(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return cells by the model's own spelling of their names.

        Blanks around a name and its form of Unicode do not matter.
        """
        came = {
            known: name
            for name in given
            if name not in self._harmless and (known := self.known(name)) is not None
        }
        odd = {name: given[came[name]] for name in came if name not in given}
        if not odd:
            return given
        others = {came[name] for name in odd}
        rest = {name: cell for name, cell in given.items() if name not in others}
        return {**rest, **odd}

    def known(self, name: str) -> str | None:
        """Return the model's own spelling of a name; None for an unknown name."""
        return self._spelled.get(plain_name(name))

    def _check_names(
        self, given: Mapping[str, Any], row: int | None, notes: Notes
    ) -> None:
        """Refuse missing columns, and warn about unknown ones."""
        unknown = [name for name in given if name not in self._harmless]
        refuse([_missing(row, n, unknown) for n in self.names if n not in given])
        for name in unknown:
            notes.warn(row, name, "the model does not know this column")


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


def _plain_numbers(columns: Sequence[Cells]) -> NDArray[np.float64] | None:
    """Return all columns at once `[F, N]`; None unless all cells are finite numbers."""
    if not columns or not _are_plain(columns):
        return None
    try:
        numbers = np.array(columns, np.float64)
    except OverflowError:  # the reader of the column refuses the integer by name
        return None
    return numbers if np.isfinite(numbers).all() else None


def _are_plain(columns: Sequence[Cells]) -> bool:
    arrays = [cells for cells in columns if isinstance(cells, np.ndarray)]
    if not arrays:
        return _PLAIN.issuperset(map(type, chain.from_iterable(columns)))
    are_numbers = all(cells.dtype.kind in "fiub" for cells in arrays)
    return are_numbers and len(arrays) == len(columns)


def _missing(row: int | None, name: str, given: list[str]) -> FieldError:
    """Return the error for a column that a row, or all rows, do not have."""
    if row is None:
        detail = f"the column {name!r} is missing"
        hint = "send it with nulls where its values are unknown"
    else:
        detail = f"row {row} has no value for the column {name!r}"
        hint = "send null where a value is unknown"
    near = nearest(name, given)
    return error_at(
        row, name, detail, f"is `{near[:100]}` meant to be it?" if near else hint
    )


def _of_lists(rows: Sequence[Any], names: list[str]) -> dict[str, Cells]:
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            is_list = isinstance(row, list)
            given = f"has {len(row)} value(s)" if is_list else "is not a list of values"
            raise InvalidInstances(
                f"Row {i} {given}; expected {len(names)}, in the order "
                f"{', '.join(names[:50])}."
            )
    return dict(zip(names, zip(*rows), strict=True))  # noqa: B905  every row was measured
