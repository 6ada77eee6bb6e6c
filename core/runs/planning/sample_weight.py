"""Check the column of sample weights of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, raise_any
from core.lazy import pl
from core.runs.planning.target import Target
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate

AT = pointer("fit", "sample_weight")
_GREATEST = float(np.finfo(np.float32).max)
_USUAL_MEAN = (0.1, 10.0)
"""A mean weight outside these bounds gets a warning."""


def check_sample_weight(
    create: RunCreate, target: Target, table: TypedTable
) -> list[str]:
    """Check the weights of the rows with a target, and return warnings about them.

    Raises InvalidSpec, with counts and an example, if they cannot weigh the loss.
    """
    name = create.fit.sample_weight
    if name is None:
        return []
    raise_any(InvalidSpec, [_role_error(create, name), _type_error(table, name)])
    cells = read_weights(table, target.name, name)
    raise_any(InvalidSpec, cells.errors(AT))
    return cells.warnings()


def _role_error(create: RunCreate, name: str) -> FieldError | None:
    """Return an error if the column is the target or a feature as well."""
    if name == create.target:
        detail = f"{name!r} is the target; expected another column"
        return FieldError(pointer=AT, detail=detail, column=name)
    if name not in (create.features.include or []):
        return None
    detail = f"{name!r} is in `features.include`; the sample weight is not a feature"
    hint = "remove it from `features.include`"
    return FieldError(pointer=AT, detail=detail, hint=hint, column=name)


def _type_error(table: TypedTable, name: str) -> FieldError | None:
    column = table.column(name)
    if column is None or column.type == ColumnType.NUMERIC:
        return None
    detail = f"the column {name!r} is {column.type}; sample weights must be numeric"
    hint = f'if its cells are numbers, set `features.types` to {{"{name}": "numeric"}}'
    return FieldError(pointer=AT, detail=detail, hint=hint, column=name)


@dataclass(frozen=True)
class WeightCells:
    """Counts of the weights in the rows with a target, and examples of bad ones."""

    name: str
    rows: int
    missing: int
    infinite: int
    negative: int
    large: float | None
    least: float | None
    mean: float | None

    def errors(self, at: str, where: str = "") -> list[FieldError]:
        """Return the errors of the cells, at a pointer; `where` names the dataset."""
        column = f"the column {self.name!r}{where}"
        faults = [
            (self.missing, f"of {self.rows:,} rows have no weight in {column}"),
            (self.infinite, f"cell(s) of {column} are too large, such as {self.large}"),
            (self.negative, f"cell(s) of {column} are negative, such as {self.least}"),
        ]
        details = [f"{count:,} {what}" for count, what in faults if count]
        if not details and not self.mean:
            details = [f"every cell of {column} is 0; at least one must be above 0"]
        hint = "give every row a finite weight of 0 or more; 0 leaves the row out"
        return [
            FieldError(pointer=at, detail=detail, hint=hint, column=self.name)
            for detail in details
        ]

    def warnings(self) -> list[str]:
        """Return a warning if the mean weight is far from 1."""
        low, high = _USUAL_MEAN
        if self.mean is None or low <= self.mean <= high:
            return []
        warning = (
            f"the mean of the sample weights in {self.name!r} is {self.mean:.4g}, so "
            "`loss` and `val_loss` are about this many times what they are without "
            "weights, as in Keras; divide the weights by their mean to compare losses"
        )
        return [warning]


def read_weights(table: TypedTable, target: str, name: str) -> WeightCells:
    """Return the counts of the weights in the rows that have a target."""
    cell = pl.col(name).cast(pl.Float64)
    is_missing = cell.is_null() | cell.is_nan()
    is_large = ~is_missing & (cell.abs() > _GREATEST)
    rows = table.scan().drop_nulls(target)
    counts = rows.select(
        rows=pl.len(),
        missing=is_missing.sum(),
        infinite=is_large.sum(),
        negative=(cell < 0).sum(),
        large=cell.filter(is_large).first(),
        least=cell.filter(cell < 0).first(),
        mean=cell.cast(pl.Float32).cast(pl.Float64).mean(),
    )
    return WeightCells(name, **counts.collect().row(0, named=True))
