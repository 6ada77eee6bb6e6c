"""Read the target column: its task, its classes and its rows."""

from __future__ import annotations

from dataclasses import dataclass

from core.columns import kind_of
from core.columns.boolean import TRUE
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, OverLimit, raise_any
from core.lazy import pl
from fitserve.enums import ColumnType, Task
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.run import RunCreate
from fitserve.specs.vocabulary import LOSSES

Label = str | int | float | bool

_FEW_CLASSES = 10
"""A target may have this many classes, even with few rows."""
FAR = 1_000
"""A target further from 0 than this many of its deviations gets an offset: float32 has
about seven digits, and fewer than four would be left for the differences."""


def class_name(label: Label) -> str:
    """Return a class as a key of a JSON object; booleans become `true` and `false`."""
    return str(label).lower() if isinstance(label, bool) else str(label)


@dataclass(frozen=True)
class Target:
    """The target column, in the rows where it is not missing."""

    name: str
    type: ColumnType
    task: Task
    num_rows: int
    classes: list[Label]
    """Sorted, except that of two the positive class is the last; empty for regression."""
    counts: list[int]

    @property
    def positive_class(self) -> Label | None:
        """Return the class that is encoded as 1; None unless there are two classes."""
        return self.classes[1] if len(self.classes) == 2 else None


def infer_task(kind: ColumnType, unique: int, create: RunCreate) -> Task:
    """Return the task of a target of this type.

    Raises InvalidSpec if the target does not allow the task in the spec.
    """
    task = create.task or _task_of_loss(create.compile.loss) or _natural(kind, unique)
    if task == Task.REGRESSION != kind_of(kind).task:
        raise target_error(
            f"The target {create.target!r} is {kind}; regression needs numbers.",
            "leave out `task` and `loss`, or choose a numeric target",
        )
    if task == Task.BINARY and unique > 2:
        raise target_error(
            f"The target {create.target!r} has {unique} distinct values; "
            "binary classification needs two.",
            "use task `multiclass`, or leave it out",
        )
    return task


def _task_of_loss(loss: str | None) -> Task | None:
    return next((task for task, losses in LOSSES.items() if loss in losses), None)


def _natural(kind: ColumnType, unique: int) -> Task:
    task = kind_of(kind).task
    if task is None:
        raise target_error(
            f"A {kind} cannot be a target.",
            "choose a numeric, boolean or categorical column",
        )
    return Task.BINARY if unique <= 2 else task


def target_error(detail: str, hint: str | None = None) -> InvalidSpec:
    """Return an InvalidSpec that points at the target."""
    error = FieldError(pointer=pointer("target"), detail=detail, hint=hint)
    return InvalidSpec(detail, [error])


def read_target(
    table: TypedTable, column: ColumnRead, create: RunCreate, max_classes: int
) -> Target:
    """Return the task, classes and rows of the target of `create` in a table.

    Raises InvalidSpec if the target cannot be learned, OverLimit if it has too many
    classes.
    """
    name, kind = column.name, column.type
    task = infer_task(kind, column.unique, create)
    values = table.scan().select(pl.col(name).alias("value")).drop_nulls()
    num_rows = int(values.select(pl.len()).collect().item())
    if column.unique < 2:
        raise target_error(
            f"The target {name!r} has {column.unique} distinct value(s); "
            "a network needs at least two.",
        )
    if task == Task.REGRESSION:
        _refuse_positive_class(create, f"the task {task} has no classes")
        return Target(name, kind, task, num_rows, [], [])
    classes, counts = _classes(values, name, max_classes)
    labels = kind_of(kind).classes(classes, column.format)
    if _is_first_positive(create, labels):
        labels, counts = labels[::-1], counts[::-1]
    return Target(name, kind, task, num_rows, labels, counts)


def _is_first_positive(create: RunCreate, labels: list[Label]) -> bool:
    """Return whether the spec makes the first of two classes the positive one."""
    wanted = create.positive_class
    if wanted is None:
        return False
    if len(labels) != 2:
        why = f"the target {create.target!r} has {len(labels)} classes; expected two"
        _refuse_positive_class(create, why)
    if not any(_is_class(wanted, label) for label in labels):
        names = [class_name(label) for label in labels]
        why = f"the target {create.target!r} has no class {wanted!r}; it has {names}"
        _refuse_positive_class(create, why, did_you_mean(class_name(wanted), names))
    return _is_class(wanted, labels[0])


def _is_class(wanted: Label, label: Label) -> bool:
    """Return whether a class is meant: by its name, or by an equal number."""
    is_number = all(type(value) in (int, float) for value in (wanted, label))
    return class_name(wanted) == class_name(label) or (is_number and wanted == label)


def _refuse_positive_class(create: RunCreate, why: str, hint: str = "") -> None:
    """Raise InvalidSpec if the spec has a positive class."""
    if create.positive_class is not None:
        at, hint = pointer("positive_class"), hint or "leave `positive_class` out"
        raise_any(InvalidSpec, [FieldError(pointer=at, detail=why, hint=hint)])


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
        raise target_error(
            f"The target {name!r} has {counted.height:,} classes in "
            f"{counted['count'].sum():,} rows, most of them in one row only: too few "
            "to learn from. Is it an id or a name? Choose another target.",
        )
    labels = counted["value"]
    if labels.dtype.is_float() and ((labels % 1 == 0) & (labels.abs() <= 2**53)).all():
        labels = labels.cast(pl.Int64)  # 0 and 1 are read as floats
    return labels.to_list(), counted["count"].to_list()


def unknown_classes(table: TypedTable, target: Target) -> list[Label]:
    """Return the classes in another table's target that `target` does not have."""
    if not target.classes:
        return []
    values = table.scan().select(pl.col(target.name).unique().drop_nulls())
    held = values.collect().to_series()
    known = _values(held, target.classes)
    return sorted(set(held.to_list()).difference(known), key=str)


def class_indices(cells: pl.Series, classes: list[Label]) -> pl.Series:
    """Return the index of every cell's class in `classes`, which must hold them all."""
    return cells.replace_strict(
        _values(cells, classes), list(range(len(classes))), return_dtype=pl.Int64
    )


def _values(cells: pl.Series, classes: list[Label]) -> list[Label]:
    """Return the classes as stored cells: boolean columns store no labels."""
    is_text = all(isinstance(label, str) for label in classes)
    if is_text and (cells.dtype == pl.Boolean or cells.dtype.is_numeric()):
        return [True, False] if str(classes[0]).lower() in TRUE else [False, True]
    return classes
