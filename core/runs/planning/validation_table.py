"""Open a validation dataset and check its columns and values against the run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.columns import kind_of
from core.columns.facts import Wanted
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, raise_any
from core.lazy import pl
from core.runs.planning.features import Selection
from core.runs.planning.sample_weight import read_weights
from core.runs.planning.target import Label, Target, unknown_classes
from core.runs.planning.warnings import retyped_warnings
from core.runs.run_tables import VALIDATION, misfit, open_validation
from core.storage import Storage
from fitserve.enums import ColumnType
from fitserve.names import did_you_mean
from fitserve.problems import FieldError


@dataclass(frozen=True)
class ValidationTable:
    """The validation dataset of a run, if the spec has one, and its warnings."""

    table: TypedTable | None
    warnings: list[str]


@contextmanager
def open_validation_table(
    validation: Dataset | None,
    trained: TypedTable,
    selection: Selection,
    target: Target,
    weight: str | None,
    storage: Storage,
) -> Iterator[ValidationTable]:
    """Open the validation dataset with the types of the run, and check its values.

    `weight` is the column of the sample weights, if the run has one.

    Raises InvalidSpec if it lacks a column of the run or has values that do not fit.
    """
    if validation is None:
        yield ValidationTable(None, [])
        return
    names = [*selection.columns, target.name, *([] if weight is None else [weight])]
    _refuse_missing_columns(validation, names)
    with open_validation(validation, trained, names, storage) as table:
        _refuse_other_values(validation, table, trained, target)
        if weight is not None:
            cells = read_weights(table, target.name, weight)
            errors = cells.errors(VALIDATION, f" of {validation.name!r}")
            raise_any(InvalidSpec, errors)
        kept = [name for name in selection.columns if name not in table.warnings]
        warnings = [*retyped_warnings(table), *_strange_warnings(table, trained, kept)]
        yield ValidationTable(table, warnings)


def _refuse_missing_columns(validation: Dataset, names: list[str]) -> None:
    """Raise InvalidSpec if the dataset lacks a column that the run needs."""
    present = [column.name for column in validation.columns]
    missing = [name for name in names if name not in present]
    if missing:
        detail = f"{validation.name!r} lacks the column(s) {missing[:10]}"
        hint = did_you_mean(missing[0], present)
        raise_any(InvalidSpec, [FieldError(pointer=VALIDATION, detail=detail, hint=hint)])


def _refuse_other_values(
    validation: Dataset, held: TypedTable, trained: TypedTable, target: Target
) -> None:
    """Raise InvalidSpec if the values do not fit the training table.

    This is the case if a column that was re-read as categories shares no category, if the
    target has no value, or if the target has classes that no training row has.
    """
    stored = {column.name: column for column in validation.columns}
    errors = [
        misfit(
            stored[name],
            Wanted(ColumnType.CATEGORICAL),
            validation.name,
            f"none of its values, such as {value!r}, occurs in the training table",
        )
        for name, value in _strange_categories(held, trained, held.warnings).items()
    ]
    column = held.column(target.name)
    if column is not None and not column.unique:
        detail = f"in {validation.name!r} every cell of {target.name!r} is missing"
        detail = f"{detail}; validation needs the target"
        errors.append(FieldError(pointer=VALIDATION, detail=detail))
    raise_any(InvalidSpec, errors)
    _refuse_other_classes(held, target)


def _strange_warnings(
    held: TypedTable, trained: TypedTable, names: Iterable[str]
) -> list[str]:
    """Return a warning for each column without a category of the training table."""
    return [
        f"the values of the column {name!r} of {held.name!r}, such as {value!r}, do not "
        "occur in the training table: metrics on these rows are not meaningful"
        for name, value in _strange_categories(held, trained, names).items()
    ]


def _strange_categories(
    held: TypedTable, trained: TypedTable, names: Iterable[str]
) -> dict[str, str]:
    """Return categorical columns without a shared value, with a value of `held`."""
    found = {}
    for name in names:
        column = held.column(name)
        if column is None or not column.unique or not kind_of(column.type).is_text:
            continue
        known, values = _categories(trained, name), _categories(held, name)
        if len(known) and not values.is_in(known.implode()).any():
            found[name] = str(values.min())
    return found


def _categories(table: TypedTable, name: str) -> pl.Series:
    column = table.scan().select(pl.col(name).unique().drop_nulls()).collect()[name]
    categories: pl.Series = kind_of(ColumnType.CATEGORICAL).raw(column)
    return categories


def _refuse_other_classes(held: TypedTable, target: Target) -> None:
    unknown: list[Label] = unknown_classes(held, target)
    if unknown:
        detail = f"its target has classes that no training row has: {unknown[:10]}"
        raise_any(InvalidSpec, [FieldError(pointer=VALIDATION, detail=detail)])
