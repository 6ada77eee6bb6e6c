"""What the target column holds, and the task that follows from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import polars as pl

from core.errors import InvalidSpec, OverLimit
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate
from fitserve.specs.vocabulary import BinaryLoss, MulticlassLoss, RegressionLoss
from fitserve.statuses import ColumnType, Task

LOSSES: dict[Task, tuple[str, ...]] = {
    Task.REGRESSION: get_args(RegressionLoss),
    Task.BINARY: get_args(BinaryLoss),
    Task.MULTICLASS: get_args(MulticlassLoss),
}

Label = str | int | float | bool


@dataclass(frozen=True)
class Target:
    """The target column over the rows that have one."""

    name: str
    type: ColumnType
    task: Task
    num_rows: int
    classes: list[Label]
    """Sorted; empty for regression. The last one of two is the positive class."""
    counts: list[int]


def read_target(
    table: Path, column: dict[str, Any], create: RunCreate, max_classes: int
) -> Target:
    """What the target of `create` holds in the Parquet `table`.

    Raises InvalidSpec when nothing can be learned from it.
    """
    name, kind = column["name"], ColumnType(column["type"])
    task = _task(kind, column["unique"], create)
    values = pl.scan_parquet(table).select(pl.col(name).alias("value")).drop_nulls()
    num_rows = int(values.select(pl.len()).collect().item())
    if column["unique"] < 2:
        raise _refusal(
            f"The target {name!r} has {column['unique']} distinct value(s); "
            "a network needs at least two to tell apart.",
        )
    if task == Task.REGRESSION:
        return Target(name, kind, task, num_rows, [], [])
    classes, counts = _classes(values, name, max_classes)
    return Target(name, kind, task, num_rows, classes, counts)


def _task(kind: ColumnType, unique: int, create: RunCreate) -> Task:
    task = create.task or _task_of_loss(create.compile.loss) or _natural(kind, unique)
    if task == Task.REGRESSION and kind != ColumnType.NUMERIC:
        raise _refusal(
            f"The target {create.target!r} is {kind}; regression needs numbers.",
            "leave out `task` and `loss`, or choose a numeric target",
        )
    if task == Task.BINARY and unique > 2:
        raise _refusal(
            f"The target {create.target!r} has {unique} distinct values; "
            "binary classification needs two.",
            "use task `multiclass`, or leave it out",
        )
    return task


def _task_of_loss(loss: str | None) -> Task | None:
    return next((task for task, losses in LOSSES.items() if loss in losses), None)


def _natural(kind: ColumnType, unique: int) -> Task:
    if kind == ColumnType.DATETIME:
        raise _refusal(
            "A datetime cannot be a target.",
            "choose a numeric, boolean or categorical column",
        )
    if unique <= 2:
        return Task.BINARY
    return Task.REGRESSION if kind == ColumnType.NUMERIC else Task.MULTICLASS


def _classes(
    values: pl.LazyFrame, name: str, max_classes: int
) -> tuple[list[Label], list[int]]:
    counted = values.group_by("value").len("count").sort("value").collect()
    if counted.height > max_classes:
        raise OverLimit(
            f"The target {name!r} has {counted.height:,} classes; "
            f"the limit here is {max_classes:,}. Is it an id or free text?"
        )
    return [_label(v) for v in counted["value"]], counted["count"].to_list()


def _label(value: Any) -> Label:
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole else value


def _refusal(detail: str, hint: str | None = None) -> InvalidSpec:
    error = FieldError(pointer=pointer("target"), detail=detail, hint=hint)
    return InvalidSpec(detail, [error])
