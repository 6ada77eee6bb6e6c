"""Resolve a spec on its tables: fill in every default, and check the result."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field

from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, OverLimit, raise_any
from core.runs.planning.column_names import ColumnNames
from core.runs.planning.compile_spec import resolve_compile
from core.runs.planning.cost import Cost, estimate, limit_errors
from core.runs.planning.features import Selection, select_features
from core.runs.planning.fit_spec import resolve_fit
from core.runs.planning.kept_inputs import (
    KeptInputs,
    open_with_kept_types,
    refuse_other_types,
    without_unused_types,
)
from core.runs.planning.layer_plan import (
    Head,
    bias_errors,
    head_errors,
    plan_layers,
    with_head,
)
from core.runs.planning.leakage import exclusion_reasons, find_copies, leakage_warnings
from core.runs.planning.presets import with_preset
from core.runs.planning.sample_weight import check_sample_weight
from core.runs.planning.split_counts import estimate_rows
from core.runs.planning.target import Target, read_target
from core.runs.planning.target_words import target_words
from core.runs.planning.validation_table import open_validation_table
from core.runs.planning.warnings import (
    batch_warnings,
    far_target_warnings,
    feature_warnings,
    left_out_warnings,
    one_row_warnings,
    retyped_warnings,
    target_warnings,
    task_warnings,
    weighted_metrics_warnings,
)
from core.runs.spec import ResolvedCompile, ResolvedFit, ResolvedSpec
from core.settings import Limits
from core.storage import Storage
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.schemas.runs import LayerPlan, ValidationRead
from fitserve.specs.layers import Layer, ModelSpec
from fitserve.specs.run import FeaturesSpec, RunCreate, SplitSpec


@dataclass(frozen=True)
class Datasets:
    """The datasets that a run reads, looked up once, because a name may get a version."""

    dataset: Dataset
    validation: Dataset | None


@dataclass(frozen=True)
class Draft:
    """A spec with the values of its preset, and the facts of its tables.

    Args:
        create: the spec.
        model: the network; it may contain `Output`.
        seed: the seed in the spec, or one that was drawn.
        column: the column to predict, as the run reads it.
        target: the task and the classes.
        selection: the features.
        num_rows: about how many rows each part of the split gets.
        warnings: the warnings about the tables.

    """

    create: RunCreate
    model: ModelSpec
    seed: int
    column: ColumnRead
    target: Target
    selection: Selection
    num_rows: dict[str, int]
    warnings: list[str]


@dataclass(frozen=True)
class Resolved:
    """A run, ready to be queued."""

    spec: ResolvedSpec
    datasets: Datasets
    target: Target
    selection: Selection
    layers: list[LayerPlan]
    cost: Cost
    num_rows: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def to_schema(self) -> ValidationRead:
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
    create: RunCreate,
    ref: str,
    datasets: Datasets,
    storage: Storage,
    limits: Limits,
    kept: KeptInputs | None = None,
) -> Resolved:
    """Fill in every default of a spec, and check the result; nothing is stored.

    Args:
        create: the spec.
        ref: the id or name of the dataset that the user gave.
        datasets: the datasets that the spec names.
        storage: the storage of their tables.
        limits: the limits of this service.
        kept: the inputs of an earlier version of the model, if there is one.

    Raises InvalidSpec and OverLimit, with a pointer for every error.

    """
    create = ColumnNames(c.name for c in datasets.dataset.columns).in_spec(create)
    if kept is not None:
        kept = kept.spelled_as_in(datasets.dataset)
        refuse_other_types(kept, create)
    words = target_words(datasets.dataset, create, storage)
    opening = open_with_kept_types(
        datasets.dataset, create, kept, storage, words.by_column(create.target)
    )
    with opening as (typed, table):
        source = _Source(datasets, table, storage, limits.max_classes)
        draft = _draft(typed, create.features, source, kept)
    draft.warnings[:0] = words.warnings(create.target)
    return _complete(draft, ref, datasets, limits)


@dataclass(frozen=True)
class _Source:
    """The table of a run, opened with the types of the spec.

    Args:
        datasets: the datasets that the spec names.
        table: the table of the first of them.
        storage: the storage of their tables.
        max_classes: the most classes that a target may have.

    """

    datasets: Datasets
    table: TypedTable
    storage: Storage
    max_classes: int


def _draft(
    create: RunCreate, given: FeaturesSpec, source: _Source, kept: KeptInputs | None
) -> Draft:
    """Read the target, the features and the splits; `given` are the user's features."""
    table, dataset = source.table, source.datasets.dataset
    (column,) = (c for c in table.columns if c.name == create.target)
    target = read_target(table, column, create, source.max_classes)
    create, model = with_preset(create, target.task, target.num_rows, len(table.columns))
    seed = _seed_of(create)
    weight_warnings = check_sample_weight(create, target, table)
    copies = find_copies(table, create.target)
    selection = _selection(create, given, source, copies, kept)
    num_rows, split_warnings = _count_rows(create, source, selection, target)
    about_kept: list[str] = []
    if kept is not None:
        kept.refuse_left_out(selection)
        create = without_unused_types(create, given, selection)
        about_kept = kept.warnings(selection, target)
    warnings = [
        *about_kept,
        *split_warnings,
        *weight_warnings,
        *retyped_warnings(table),
        *feature_warnings(selection, dataset, table.warnings),
        *leakage_warnings(table, create.target, selection, copies),
        *left_out_warnings(selection, copies),
    ]
    return Draft(create, model, seed, column, target, selection, num_rows, warnings)


def _count_rows(
    create: RunCreate, source: _Source, selection: Selection, target: Target
) -> tuple[dict[str, int], list[str]]:
    """Return about how many rows each part of the split gets, and warnings."""
    opening = open_validation_table(
        source.datasets.validation,
        source.table,
        selection,
        target,
        create.fit.sample_weight,
        source.storage,
    )
    with opening as held:
        num_rows, warnings = estimate_rows(create, target, source.table, held.table)
    return num_rows, [*warnings, *held.warnings]


def _selection(
    create: RunCreate,
    given: FeaturesSpec,
    source: _Source,
    copies: dict[str, str],
    kept: KeptInputs | None,
) -> Selection:
    """Return the features; only types that the user gave make a column a feature."""
    table, forced = source.table, []
    reasons, texts = exclusion_reasons(copies), _texts(source.datasets.dataset)
    if kept is not None:
        kept.refuse_unfit(table, create)
        forced = kept.features(table, create)
    if kept is not None and forced:
        reasons = {n: why for n, why in reasons.items() if n not in forced}
        others = [c for c in table.columns if c.name not in forced]
        new = {c.name: kept.reason for c in others if c.left_out is None}
        reasons = {**new, **reasons}
        reasons = {n: why for n, why in reasons.items() if n not in given.types}
    excluded = {**reasons, **_other_roles(create)}
    spec = create.features.model_copy(update={"types": given.types})
    return select_features(table, create.target, spec, excluded, texts, forced)


def _complete(draft: Draft, ref: str, datasets: Datasets, limits: Limits) -> Resolved:
    """Fill in the defaults of the network, `compile` and `fit`."""
    create, target, num_rows = draft.create, draft.target, draft.num_rows
    compiled = resolve_compile(create.compile, target.task)
    fit = resolve_fit(create.fit, target, num_rows, compiled, seed=draft.seed)
    model, layers, cost = _network(draft, compiled, fit, limits)
    spec = ResolvedSpec(
        dataset=ref,
        target=create.target,
        model_name=create.model_name or datasets.dataset.name,
        task=target.task,
        positive_class=target.positive_class,
        preset=create.preset,
        features=create.features,
        split=_with_key(create),
        model=model,
        compile=compiled,
        fit=fit,
        report=create.report,
        tags=create.tags,
        priority=create.priority,
        worker_tags=sorted(set(create.worker_tags)),
        promotion=create.promotion,
    )
    warnings = [*_warnings(draft, datasets.dataset, spec), *draft.warnings]
    selection = draft.selection
    return Resolved(spec, datasets, target, selection, layers, cost, num_rows, warnings)


def _warnings(draft: Draft, dataset: Dataset, spec: ResolvedSpec) -> list[str]:
    """Return the warnings about the target, the network and the fit."""
    target, fit, train_rows = draft.target, spec.fit, draft.num_rows["train"]
    return [
        *target_warnings(target, dataset, fit),
        *task_warnings(draft.create, target, draft.column),
        *far_target_warnings(
            target, draft.column, spec.model, standardize=spec.features.standardize
        ),
        *batch_warnings(fit.batch_size, train_rows),
        *weighted_metrics_warnings(spec.compile, fit),
        *one_row_warnings(spec.model, fit.batch_size, train_rows),
    ]


def _network(
    draft: Draft, compiled: ResolvedCompile, fit: ResolvedFit, limits: Limits
) -> tuple[ModelSpec, list[LayerPlan], Cost]:
    """Return the network with its last layer, its plan and its cost.

    Raises OverLimit and InvalidSpec.
    """
    target, selection = draft.target, draft.selection
    head = Head.of(target.task, len(target.classes))
    layers: list[Layer] = with_head(draft.model.layers, head)
    model = draft.model.model_copy(update={"layers": layers})
    plans = plan_layers(model, selection.num_inputs)
    cost = _cost(plans, compiled, fit, selection, draft.num_rows)
    at = pointer(*model.place())
    raise_any(OverLimit, limit_errors(cost, limits, fit, at))
    end = pointer(*model.place(len(layers) - 1))
    errors = [_input_error(model, selection), *head_errors(layers, plans, head, end)]
    raise_any(InvalidSpec, [*errors, *bias_errors(model)])
    return model, plans, cost


def _texts(dataset: Dataset) -> frozenset[str]:
    """Return the columns that the upload left as text."""
    return frozenset(c.name for c in dataset.columns if c.type == ColumnType.TEXT)


def _other_roles(create: RunCreate) -> dict[str, str]:
    """Return the columns that the run uses for something else, with the reasons."""
    found = {}
    if create.split.column is not None and create.split.by != "time":
        found[create.split.column] = "it determines the split"
    if create.fit.sample_weight is not None:
        found[create.fit.sample_weight] = "it is the sample weight"
    return found


def _seed_of(create: RunCreate) -> int:
    """Return the seed in the spec, or draw one."""
    given = create.fit.seed
    return secrets.randbelow(2**31) if given is None else given


def _with_key(create: RunCreate) -> SplitSpec:
    """Return the split with its key: a drawn seed must not decide the held-out rows."""
    split = create.split
    is_given = split.key is not None or create.fit.seed is not None
    if is_given or split.by in ("time", "column"):
        return split
    return split.model_copy(update={"key": "lineage"})


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
    """Return an error if the Input layer has another number than the encoded inputs."""
    given, expected = model.num_inputs, selection.num_inputs
    if given is None or given == expected:
        return None
    kinds = Counter(selection.types.values())
    columns = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return FieldError(
        pointer=pointer(*model.place(0)[:-1], 0),
        detail=f"the network takes {given:,} inputs; the features ({columns}) are "
        f"encoded as {expected:,}",
        hint=f"leave the Input layer out, or write keras.Input(({expected},))",
    )
