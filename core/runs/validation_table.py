"""Check that a validation dataset has the columns and values of the training table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.columns import kind_of
from core.columns.decide import Wanted
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, raise_any
from core.lazy import LazyModule
from core.runs.run_tables import VALIDATION, misfit
from core.runs.targets import Label, Target
from fitserve.names import did_you_mean
from fitserve.problems import FieldError
from fitserve.schemas.datasets import ColumnRead
from fitserve.statuses import ColumnType

if TYPE_CHECKING:
    import polars as pl
else:
    pl = LazyModule("polars")


def refuse_missing_columns(validation: Dataset, names: list[str]) -> None:
    """Raise InvalidSpec if the dataset lacks a column that the run needs."""
    present = [column.name for column in validation.columns]
    missing = [name for name in names if name not in present]
    if missing:
        detail = f"{validation.name!r} lacks the column(s) {missing[:10]}"
        hint = did_you_mean(missing[0], present)
        raise_any(InvalidSpec, [FieldError(pointer=VALIDATION, detail=detail, hint=hint)])


def refuse_other_values(
    validation: Dataset, held: TypedTable, trained: TypedTable, target: Target
) -> None:
    """Raise InvalidSpec if the values cannot be those of the training table.

    That is so if a column that was read again as categories shares none of them, if the
    target has no value, or if it has classes that no training row has.
    """
    errors = [
        misfit(column, Wanted(trained_column.type), validation.name)
        for column in validation.columns
        if (trained_column := trained.column(column.name)) is not None
        and _was_read_again(column, held)
        and not _overlap(held, trained, column.name)
    ]
    column = held.column(target.name)
    if column is not None and not column.unique:
        detail = f"in {validation.name!r} every cell of {target.name!r} is missing"
        detail = f"{detail}; there is nothing to compare"
        errors.append(FieldError(pointer=VALIDATION, detail=detail))
    raise_any(InvalidSpec, errors)
    _refuse_other_classes(held, target)


def _was_read_again(column: ColumnRead, held: TypedTable) -> bool:
    """Return whether the column was read again as a column of categories."""
    now = held.column(column.name)
    return now is not None and now.type != column.type and kind_of(now.type).is_text


def _overlap(held: TypedTable, trained: TypedTable, name: str) -> bool:
    """Return whether the two tables share a category of the column."""
    known, found = _categories(trained, name), _categories(held, name)
    return bool(found.is_in(known.implode()).any())


def _categories(table: TypedTable, name: str) -> pl.Series:
    column = table.scan().select(pl.col(name).unique().drop_nulls()).collect()[name]
    categories: pl.Series = kind_of(ColumnType.CATEGORICAL).raw(column)
    return categories


def _refuse_other_classes(held: TypedTable, target: Target) -> None:
    from core.runs.target_table import unknown_classes  # noqa: PLC0415  imports polars

    unknown: list[Label] = unknown_classes(held, target)
    if unknown:
        detail = f"its target has classes that no training row has: {unknown[:10]}"
        raise_any(InvalidSpec, [FieldError(pointer=VALIDATION, detail=detail)])
