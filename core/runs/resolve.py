"""From what a user wrote to what will be trained: every default in its place."""

import math
from dataclasses import dataclass, field

from core.datasets.service import column_of
from core.datasets.tables import Dataset
from core.errors import InvalidSpec, OverLimit, raise_any
from core.runs.compiling import resolve_compile
from core.runs.cost import Cost, estimate, limit_errors
from core.runs.features import Selection
from core.runs.fitting import resolve_fit
from core.runs.plan import (
    Head,
    default_model,
    head_errors,
    plan_layers,
    with_head,
)
from core.runs.targets import Target
from core.settings import Limits
from fitserve.problems import FieldError, pointer
from fitserve.schemas.runs import LayerPlan, ValidationRead
from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import Optimizer
from fitserve.specs.run import RunCreate
from fitserve.specs.training import FitSpec


@dataclass(frozen=True)
class Tables:
    """The exact uploads that a run reads: a name could point elsewhere a moment later."""

    dataset: Dataset
    validation: Dataset | None


@dataclass(frozen=True)
class Resolved:
    """A run, ready to be queued."""

    create: RunCreate
    tables: Tables
    target: Target
    selection: Selection
    layers: list[LayerPlan]
    cost: Cost
    num_rows: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def to_read(self) -> ValidationRead:
        """The answer of the validate route."""
        return ValidationRead(
            spec=self.create.model_dump(mode="json"),
            task=self.target.task,
            features=list(self.selection.types),
            excluded=self.selection.excluded,
            layers=self.layers,
            num_params=self.cost.num_params,
            num_rows=self.num_rows,
            num_steps=self.cost.steps,
            memory_bytes=self.cost.memory_bytes,
            warnings=self.warnings,
        )


def resolve(
    create: RunCreate,
    tables: Tables,
    selection: Selection,
    target: Target,
    limits: Limits,
) -> Resolved:
    """Fill in every default of `create`, and check the whole.

    Raises InvalidSpec and OverLimit, with a pointer for every fault.
    """
    num_rows = _num_rows(target, create.fit, tables.validation)
    head = Head.of(target.task, len(target.classes))
    compiled = resolve_compile(create.compile, target.task)
    fit = resolve_fit(create.fit, target, num_rows, compiled)
    model = create.model or default_model()
    layers = with_head(model.layers, head)
    plans = plan_layers(layers, selection.num_inputs)
    optimizer = compiled.optimizer
    assert isinstance(optimizer, Optimizer)  # noqa: S101  resolved above
    cost = estimate(
        plans,
        optimizer,
        selection.num_inputs,
        sum(num_rows.values()),
        num_rows["train"],
        fit.batch_size or 1,
        fit.epochs or 1,
    )
    raise_any(OverLimit, limit_errors(cost, limits, fit.batch_size or 1, fit.epochs or 1))
    raise_any(InvalidSpec, head_errors(layers, plans, head))
    return Resolved(
        create=create.model_copy(
            update={
                "model_name": create.model_name or tables.dataset.name,
                "task": target.task,
                "model": ModelSpec(layers=layers),
                "compile": compiled,
                "fit": fit,
            }
        ),
        tables=tables,
        target=target,
        selection=selection,
        layers=plans,
        cost=cost,
        num_rows=num_rows,
        warnings=_warnings(target),
    )


def _num_rows(target: Target, fit: FitSpec, held_out: Dataset | None) -> dict[str, int]:
    if held_out is not None:
        column = column_of(held_out, target.name)
        missing = column["missing"] if column else 0
        return {"train": target.num_rows, "validation": held_out.num_rows - missing}
    train = math.floor(target.num_rows * (1 - fit.validation_split))
    validation = target.num_rows - train
    if train < 1 or (fit.validation_split and not validation):
        detail = (
            f"{target.num_rows} row(s) with a target split into {train} for training "
            f"and {validation} for validation; both need at least one"
        )
        at = pointer("fit", "validation_split")
        raise_any(InvalidSpec, [FieldError(pointer=at, detail=detail)])
    return {"train": train, "validation": validation}


def _warnings(target: Target) -> list[str]:
    rare = [
        f"{label!r} ({n})"
        for label, n in zip(target.classes, target.counts, strict=True)
        if n < 2
    ]
    if not rare:
        return []
    return [f"classes with a single row cannot be validated: {', '.join(rare[:20])}"]
