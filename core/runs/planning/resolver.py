"""Fill in every default of a spec, and check the result."""

from collections import Counter
from dataclasses import dataclass, field

from core.datasets.tables import Dataset
from core.errors import InvalidSpec, OverLimit, raise_any
from core.runs.planning.compile_spec import resolve_compile
from core.runs.planning.cost import Cost, estimate, limit_errors
from core.runs.planning.features import Selection
from core.runs.planning.fit_spec import batch_warnings, resolve_fit
from core.runs.planning.layer_plan import (
    Head,
    head_errors,
    plan_layers,
    with_head,
)
from core.runs.planning.target import Target
from core.runs.spec import ResolvedCompile, ResolvedFit, ResolvedSpec
from core.settings import Limits
from fitserve.enums import Task
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.schemas.runs import LayerPlan, ValidationRead
from fitserve.specs.layers import ModelSpec
from fitserve.specs.run import RunCreate

_IMBALANCE = 0.1
"""A class is rare below this share of the rows that it would have if all were equal."""


@dataclass(frozen=True)
class Tables:
    """The datasets that a run reads, looked up once: a name may later move on."""

    dataset: Dataset
    validation: Dataset | None


@dataclass(frozen=True)
class Draft:
    """A spec with the choices of its preset, before the defaults that depend on rows.

    Args:
        create: the spec.
        dataset: the dataset as the user named it.
        model: the network; it may contain `Output`.
        seed: the seed in the spec, or one that was drawn.
        target: the column to predict, as the run reads it.

    """

    create: RunCreate
    dataset: str
    model: ModelSpec
    seed: int
    target: ColumnRead


@dataclass(frozen=True)
class Resolved:
    """A run, ready to be queued."""

    spec: ResolvedSpec
    tables: Tables
    target: Target
    selection: Selection
    layers: list[LayerPlan]
    cost: Cost
    num_rows: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def to_read(self) -> ValidationRead:
        """Return the answer of the validate route."""
        return ValidationRead(
            spec=self.spec.to_json(),
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
    draft: Draft,
    tables: Tables,
    selection: Selection,
    target: Target,
    num_rows: dict[str, int],
    limits: Limits,
) -> Resolved:
    """Fill in every default of the draft, and check the result.

    Raises InvalidSpec and OverLimit, with a pointer for every error.
    """
    create = draft.create
    head = Head.of(target.task, len(target.classes))
    compiled = resolve_compile(create.compile, target.task)
    fit = resolve_fit(create.fit, target, num_rows, compiled, seed=draft.seed)
    layers = with_head(draft.model.layers, head)
    model = draft.model.model_copy(update={"layers": layers})
    plans = plan_layers(model, selection.num_inputs)
    cost = _cost(plans, compiled, fit, selection, num_rows)
    at = pointer(*model.place())
    raise_any(OverLimit, limit_errors(cost, limits, fit, at))
    end = pointer(*model.place(len(layers) - 1))
    errors = [_input_error(model, selection), *head_errors(layers, plans, head, end)]
    raise_any(InvalidSpec, errors)
    return Resolved(
        spec=ResolvedSpec(
            dataset=draft.dataset,
            target=create.target,
            model_name=create.model_name or tables.dataset.name,
            task=target.task,
            preset=create.preset,
            features=create.features,
            split=create.split,
            model=model,
            compile=compiled,
            fit=fit,
            report=create.report,
            tags=create.tags,
        ),
        tables=tables,
        target=target,
        selection=selection,
        layers=plans,
        cost=cost,
        num_rows=num_rows,
        warnings=[
            *_warnings(target, tables.dataset),
            *two_valued_regression(create, target, draft.target),
            *batch_warnings(fit.batch_size, num_rows["train"]),
        ],
    )


def _cost(
    plans: list[LayerPlan],
    compiled: ResolvedCompile,
    fit: ResolvedFit,
    selection: Selection,
    num_rows: dict[str, int],
) -> Cost:
    """Return the estimated cost of all fits of the run."""
    one = estimate(
        plans,
        compiled.optimizer,
        num_inputs=selection.num_inputs,
        num_rows=sum(num_rows.values()),
        train_rows=num_rows["train"],
        batch_size=fit.batch_size,
        epochs=fit.epochs,
        num_embedding_params=selection.num_embedding_params,
    )
    return one.of_fits(fit.num_seeds)


def _input_error(model: ModelSpec, selection: Selection) -> FieldError | None:
    """Return an error if the network's Input layer has another number of inputs."""
    came, wanted = model.num_inputs, selection.num_inputs
    if came is None or came == wanted:
        return None
    kinds = Counter(selection.types.values())
    columns = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return FieldError(
        pointer=pointer(*model.place(0)[:-1], 0),
        detail=f"the network takes {came:,} inputs; the features ({columns}) are encoded "
        f"as {wanted:,}",
        hint=f"leave the Input layer out, or write keras.Input(({wanted},))",
    )


def two_valued_regression(
    create: RunCreate, target: Target, column: ColumnRead
) -> list[str]:
    """Return a warning if the loss makes a regression of a target with two values."""
    is_asked = target.task != Task.REGRESSION or create.task is not None
    if is_asked or column.unique != 2:
        return []
    loss = create.compile.loss
    told = (
        f"the target {target.name!r} has two values ({column.min:g} and "
        f"{column.max:g}), and the loss {loss!r} makes this a regression; leave "
        "`compile.loss` out for a classification with probabilities, or say "
        '`task: "regression"`'
    )
    return [told]


def _warnings(target: Target, dataset: Dataset) -> list[str]:
    told = []
    if without := dataset.num_rows - target.num_rows:
        told.append(f"{without:,} row(s) without a target are left out")
    named = list(zip(target.classes, target.counts, strict=True))
    if rare := [f"{label!r} ({n})" for label, n in named if n < 2]:
        told.append(
            f"classes with a single row cannot be validated: {', '.join(rare[:20])}"
        )
    if named and min(target.counts) < _IMBALANCE * target.num_rows / len(named):
        label, n = min(named, key=lambda pair: pair[1])
        told.append(
            f"the classes are imbalanced: {label!r} is in {n:,} of {target.num_rows:,} "
            'rows; `class_weight: "balanced"` weighs them alike'
        )
    return told
