"""The target column, read from a table: how many rows, which classes."""

from __future__ import annotations

from core.columns import kind_of
from core.datasets.typed_table import TypedTable
from core.errors import OverLimit
from core.lazy import pl
from core.runs.planning.target import Label, Target, infer_task, refusal
from fitserve.enums import Task
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.run import RunCreate

_FEW_CLASSES = 10
"""So many are taken however few rows there are: small tables are for trying out."""


def read_target(
    table: TypedTable, column: ColumnRead, create: RunCreate, max_classes: int
) -> Target:
    """Return what the target of `create` holds in a table.

    Raises InvalidSpec when nothing can be learned from it.
    """
    name, kind = column.name, column.type
    task = infer_task(kind, column.unique, create)
    values = table.scan().select(pl.col(name).alias("value")).drop_nulls()
    num_rows = int(values.select(pl.len()).collect().item())
    if column.unique < 2:
        raise refusal(
            f"The target {name!r} has {column.unique} distinct value(s); "
            "a network needs at least two to tell apart.",
        )
    if task == Task.REGRESSION:
        return Target(name, kind, task, num_rows, [], [])
    classes, counts = _classes(values, name, max_classes)
    labels = kind_of(kind).classes(classes, column.format)
    return Target(name, kind, task, num_rows, labels, counts)


def _classes(
    values: pl.LazyFrame, name: str, max_classes: int
) -> tuple[list[Label], list[int]]:
    counted = values.group_by("value").len("count").sort("value").collect()
    if counted.height > max_classes:
        raise OverLimit(
            f"The target {name!r} has {counted.height:,} classes; "
            f"the limit here is {max_classes:,}. Is it an id or free text?"
        )
    if counted.height > max(_FEW_CLASSES, int(counted["count"].sum()) // 2):
        raise refusal(
            f"The target {name!r} has {counted.height:,} classes in "
            f"{counted['count'].sum():,} rows, most of them in one row only: nothing can "
            "be learned about those. Is it an id or a name? Choose another target.",
        )
    labels = counted["value"]
    if labels.dtype.is_float() and ((labels % 1 == 0) & (labels.abs() <= 2**53)).all():
        labels = labels.cast(pl.Int64)  # 0 and 1 are read as floats
    return labels.to_list(), counted["count"].to_list()


def unknown_classes(table: TypedTable, target: Target) -> list[Label]:
    """Classes of another table's target that `target` does not have."""
    if not target.classes:
        return []
    values = table.scan().select(pl.col(target.name).unique().drop_nulls())
    held = values.collect().to_series()
    known = _values(held, target.classes)
    return sorted(set(held.to_list()).difference(known), key=str)


def class_places(cells: pl.Series, classes: list[Label]) -> pl.Series:
    """The place of every cell's class in `classes`; all of them must be there."""
    return cells.replace_strict(
        _values(cells, classes), list(range(len(classes))), return_dtype=pl.Int64
    )


def _values(cells: pl.Series, classes: list[Label]) -> list[Label]:
    """What the classes are in a column of such cells: its labels are not in the table."""
    is_text = all(isinstance(label, str) for label in classes)
    if is_text and (cells.dtype == pl.Boolean or cells.dtype.is_numeric()):
        return [False, True]
    return classes
