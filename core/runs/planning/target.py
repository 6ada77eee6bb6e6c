"""The target column, and the task that follows from it."""

from dataclasses import dataclass

from core.columns import kind_of
from core.errors import InvalidSpec
from fitserve.enums import ColumnType, Task
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate
from fitserve.specs.vocabulary import LOSSES

Label = str | int | float | bool


def class_name(label: Label) -> str:
    """Return a class as a key of a JSON object; booleans become `true` and `false`."""
    return str(label).lower() if isinstance(label, bool) else str(label)


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


def infer_task(kind: ColumnType, unique: int, create: RunCreate) -> Task:
    """Return the task of a target of this type.

    Raises InvalidSpec if the target cannot have the task that the spec asks for.
    """
    task = create.task or _task_of_loss(create.compile.loss) or _natural(kind, unique)
    if task == Task.REGRESSION != kind_of(kind).task:
        raise refusal(
            f"The target {create.target!r} is {kind}; regression needs numbers.",
            "leave out `task` and `loss`, or choose a numeric target",
        )
    if task == Task.BINARY and unique > 2:
        raise refusal(
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
        raise refusal(
            f"A {kind} cannot be a target.",
            "choose a numeric, boolean or categorical column",
        )
    return Task.BINARY if unique <= 2 else task


def refusal(detail: str, hint: str | None = None) -> InvalidSpec:
    """Return an InvalidSpec that points at the target."""
    error = FieldError(pointer=pointer("target"), detail=detail, hint=hint)
    return InvalidSpec(detail, [error])
