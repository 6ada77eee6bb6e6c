"""From instances to raw columns: float64 and string arrays of shape `[N, 1]`.

The rules for single values stand in docs/values.md.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.cells import FALSE, NULLS, TRUE
from core.errors import InvalidInstances
from core.models.signature import MISSING, Feature, Signature
from fitserve.names import did_you_mean
from fitserve.problems import FieldError
from fitserve.statuses import ColumnType

Column = NDArray[Any]
_MOST_ERRORS = 20
_ABSENT = object()


def to_columns(instances: Sequence[Any], signature: Signature) -> dict[str, Column]:
    """The raw columns of rows given as objects or as lists in feature order.

    Raises InvalidInstances with row, column and nearest name for what does not fit.
    """
    if all(isinstance(row, dict) for row in instances):
        table = _from_objects(instances, signature)
    elif all(isinstance(row, list) for row in instances):
        names = [feature.name for feature in signature.features]
        table = _from_lists(instances, names)
    else:
        raise InvalidInstances(
            "Expected every instance to be an object of column to value, or every one "
            "a list of values."
        )
    return convert(table, signature)


def table_to_columns(
    columns: list[str], data: Sequence[Any], signature: Signature
) -> dict[str, Column]:
    """The same for `columns` and `data`; other columns of the dataset are ignored."""
    table = _from_lists(data, columns)
    _refuse(_unknown_columns(set(columns), signature, row=None))
    _refuse(_missing_columns(set(columns), signature))
    return convert(table, signature)


def convert(table: dict[str, list[Any]], signature: Signature) -> dict[str, Column]:
    """Lists of cells as arrays, by the rules of each feature's type."""
    errors: list[FieldError] = []
    columns = {f.name: _column(f, table[f.name], errors) for f in signature.features}
    _refuse(errors)
    return columns


def _from_objects(
    rows: Sequence[dict[str, Any]], signature: Signature
) -> dict[str, list[Any]]:
    names = [feature.name for feature in signature.features]
    table = {name: [row.get(name, _ABSENT) for row in rows] for name in names}
    width = len(names)
    for i, row in enumerate(rows):
        if len(row) != width or any(name not in row for name in names):
            _refuse(_misfits(i, row, signature))
    return table


def _misfits(i: int, row: dict[str, Any], signature: Signature) -> list[FieldError]:
    errors = _unknown_columns(set(row), signature, row=i)
    absent = [f.name for f in signature.features if f.name not in row]
    return errors + [
        FieldError(
            pointer=f"#/instances/{i}",
            detail=f"row {i} has no value for the column {name!r}",
            hint="send null where a value is unknown",
            row=i,
            column=name,
        )
        for name in absent
    ]


def _unknown_columns(
    given: set[str], signature: Signature, row: int | None
) -> list[FieldError]:
    names = [feature.name for feature in signature.features]
    unknown = given.difference(names, signature.ignored)
    where = f"row {row} has" if row is not None else "there is"
    return [
        FieldError(
            pointer="#/columns" if row is None else f"#/instances/{row}",
            detail=f"{where} a column {name[:100]!r} that the model does not know",
            hint=did_you_mean(name, names),
            row=row,
            column=name[:100],
        )
        for name in sorted(unknown)[:_MOST_ERRORS]
    ]


def _missing_columns(given: set[str], signature: Signature) -> list[FieldError]:
    return [
        FieldError(
            pointer="#/columns",
            detail=f"the column {feature.name!r} is missing",
            hint="send it with nulls where its values are unknown",
            column=feature.name,
        )
        for feature in signature.features
        if feature.name not in given
    ]


def _from_lists(rows: Sequence[Any], names: list[str]) -> dict[str, list[Any]]:
    for i, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            given = len(row) if isinstance(row, list) else "no list"
            raise InvalidInstances(
                f"Row {i} has {given} value(s); expected {len(names)}, in the order "
                f"{', '.join(names[:50])}."
            )
    return {name: list(cells) for name, cells in zip(names, zip(*rows), strict=True)}  # noqa: B905  every row was measured


def _column(feature: Feature, cells: list[Any], errors: list[FieldError]) -> Column:
    if feature.encoder.type == "numeric":
        return _numbers(feature, cells, errors)
    texts = [_text(cell) for cell in cells]
    _note(feature, cells, texts, errors, "text")
    return np.array([MISSING if t is None else t for t in texts], object)[:, None]


def _numbers(feature: Feature, cells: list[Any], errors: list[FieldError]) -> Column:
    if all(type(cell) is float or type(cell) is int for cell in cells):
        try:
            return np.array(cells, np.float64)[:, None]
        except OverflowError:
            pass  # an integer beyond float64; the slow way names it
    is_boolean = feature.type == ColumnType.BOOLEAN
    numbers = [_number(cell, is_boolean=is_boolean) for cell in cells]
    wanted = "a boolean" if is_boolean else "a number"
    _note(feature, cells, numbers, errors, wanted)
    return np.array([math.nan if n is None else n for n in numbers], np.float64)[:, None]


def _number(cell: Any, *, is_boolean: bool) -> float | None:
    """A cell as a number; NaN where it is missing, None where it is no number."""
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        return _number_in(cell.strip(), is_boolean=is_boolean)
    if isinstance(cell, bool | int | float):
        try:
            return float(cell)
        except OverflowError:
            return None
    return None


def _number_in(text: str, *, is_boolean: bool) -> float | None:
    if text in NULLS:
        return math.nan
    if is_boolean and text.lower() in TRUE + FALSE:
        return float(text.lower() in TRUE)
    try:
        number = float(text) if text.isascii() and "_" not in text else math.inf
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _text(cell: Any) -> str | None:
    """A cell as a category, written as the dataset would hold it."""
    match cell:
        case None:
            return MISSING
        case str():
            text = cell.strip()
            return MISSING if text in NULLS else text
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case int() | float():
            return str(cell)
    return None


def _note(
    feature: Feature,
    cells: list[Any],
    values: Sequence[Any],
    errors: list[FieldError],
    wanted: str,
) -> None:
    """Add an error for every cell that has no value."""
    bad = [i for i, value in enumerate(values) if value is None]
    errors += [
        FieldError(
            pointer=f"#/instances/{i}",
            detail=f"row {i}, column {feature.name!r}: got {str(cells[i])[:80]!r}, "
            f"expected {wanted}",
            row=i,
            column=feature.name,
        )
        for i in bad[:_MOST_ERRORS]
    ]


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        shown = errors[:_MOST_ERRORS]
        said = "; ".join(e.detail + (f" ({e.hint})" if e.hint else "") for e in shown[:5])
        raise InvalidInstances(said[:1].upper() + said[1:] + ".", shown)
