"""From instances to raw columns: float64 and string arrays of shape `[N, 1]`."""

from collections.abc import Sequence
from typing import Any

from core.errors import InvalidInstances
from core.models.signature import Signature
from fitserve.names import nearest
from fitserve.problems import FieldError
from service.predictor.values import MOST_TOLD, CellReader, Column, Notes, Warning_


class RawColumns:
    """Reads the instances of one version; made once, used for every request.

    Args:
        signature: the features, in the order of rows that are lists.

    """

    def __init__(self, signature: Signature) -> None:
        self._names = [feature.name for feature in signature.features]
        self._known = frozenset(self._names)
        self._harmless = frozenset([*self._names, *signature.ignored, signature.target])
        self._readers = [
            CellReader(feature, signature.null_values) for feature in signature.features
        ]

    def of_instances(
        self, instances: Sequence[Any]
    ) -> tuple[dict[str, Column], list[Warning_]]:
        """The columns of rows given as objects or as lists in feature order.

        Raises InvalidInstances with row, column and nearest name for what does not fit.
        """
        notes = Notes()
        if all(isinstance(row, dict) for row in instances):
            table = self._from_objects(instances, notes)
        elif all(isinstance(row, list) for row in instances):
            table = _from_lists(instances, self._names)
        else:
            raise InvalidInstances(
                "Expected every instance to be an object of column to value, or every "
                "one a list of values."
            )
        return self._read(table, notes)

    def of_table(
        self, columns: list[str], data: Sequence[Any]
    ) -> tuple[dict[str, Column], list[Warning_]]:
        """The same for `columns` and `data`."""
        notes = Notes()
        table = _from_lists(data, columns)
        absent = [name for name in self._names if name not in table]
        refuse([_missing_column(name, columns) for name in absent])
        self._tell_unknown(columns, None, notes)
        return self._read(table, notes)

    def _read(
        self, table: dict[str, list[Any]], notes: Notes
    ) -> tuple[dict[str, Column], list[Warning_]]:
        columns = {r.name: r.read(table[r.name], notes) for r in self._readers}
        refuse(notes.errors)
        return columns, notes.warnings

    def _from_objects(
        self, rows: Sequence[dict[str, Any]], notes: Notes
    ) -> dict[str, list[Any]]:
        names, width = self._names, len(self._names)
        for i, row in enumerate(rows):
            if len(row) != width or not self._known.issuperset(row):
                refuse(self._absent(i, row))
                self._tell_unknown(row, i, notes)
        return {name: [row[name] for row in rows] for name in names}

    def _absent(self, i: int, row: dict[str, Any]) -> list[FieldError]:
        unknown = [name for name in row if name not in self._harmless]
        return [_absent(i, name, unknown) for name in self._names if name not in row]

    def _tell_unknown(self, given: Any, row: int | None, notes: Notes) -> None:
        for name in given:
            if name not in self._harmless:
                notes.warn(row, name, "the model does not know this column")


def _absent(row: int, name: str, unknown: list[str]) -> FieldError:
    near = nearest(name, unknown)
    hint = "send null where a value is unknown"
    return FieldError(
        pointer=f"#/instances/{row}",
        detail=f"row {row} has no value for the column {name!r}",
        hint=f"is `{near[:100]}` meant to be it?" if near else hint,
        row=row,
        column=name,
    )


def _missing_column(name: str, given: list[str]) -> FieldError:
    near = nearest(name, given)
    hint = "send it with nulls where its values are unknown"
    return FieldError(
        pointer="#/columns",
        detail=f"the column {name!r} is missing",
        hint=f"is `{near[:100]}` meant to be it?" if near else hint,
        column=name,
    )


def _from_lists(rows: Sequence[Any], names: list[str]) -> dict[str, list[Any]]:
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            given = len(row) if isinstance(row, list) else "no list"
            raise InvalidInstances(
                f"Row {i} has {given} value(s); expected {len(names)}, in the order "
                f"{', '.join(names[:50])}."
            )
    return {name: list(cells) for name, cells in zip(names, zip(*rows), strict=True)}  # noqa: B905  every row was measured


def refuse(errors: list[FieldError]) -> None:
    """Raise InvalidInstances if there are errors."""
    if errors:
        shown = errors[:MOST_TOLD]
        said = "; ".join(e.detail + (f" ({e.hint})" if e.hint else "") for e in shown[:5])
        raise InvalidInstances(said[:1].upper() + said[1:] + ".", shown)
