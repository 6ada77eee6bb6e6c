"""A run from its rows to its artifacts: the steps in order, nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import polars as pl

from core.models.signature import Signature
from core.runs.split_counts import shares_of
from core.runs.tables import Run
from core.storage import Storage
from fitserve.specs.run import RunCreate
from fitserve.statuses import Task
from workers.pulse import Pulse, finite
from workers.training.blocks import Blocks, Rows
from workers.training.build import compile_model
from workers.training.encoders import fit_feature
from workers.training.encoding import encode
from workers.training.epochs import evaluate
from workers.training.example import with_examples
from workers.training.fit import Fitted, Job, fit
from workers.training.fits import assign
from workers.training.keeper import Keeper
from workers.training.network import Network, build_network
from workers.training.raw import sample
from workers.training.sides import Sides, Table
from workers.training.streamed import blocks_of
from workers.training.target_scale import target_scale
from workers.training.targets import (
    balanced_weights,
    encode_target,
    one_hot,
    row_weights,
)


@dataclass(frozen=True)
class Trained:
    """The network with what is needed to serve it."""

    network: Network
    signature: Signature
    fitted: Fitted
    sides: Sides
    """Raw rows, for the report."""


@dataclass(frozen=True)
class Tables:
    """Storage keys of a run's Parquet tables."""

    train: str
    validation: str | None


def train(
    run: Run,
    tables: Tables,
    storage: Storage,
    pulse: Pulse,
    max_seconds: float,
    keeper: Keeper,
) -> Trained:
    """Train the network of a claimed run."""
    create = RunCreate.model_validate(run.spec)
    fit_spec = create.fit
    keras.utils.set_random_seed(fit_spec.seed)
    split = _split(run, create, tables, storage)
    assert fit_spec.seed is not None  # noqa: S101  resolved
    known = sample(split.train, fit_spec.seed)
    signature = _signature(run, create, known)
    to_train = _encoder(signature, known, create, weighed=True)
    to_test = _encoder(signature, known, create, weighed=False)
    rows = blocks_of(split.train, to_train, signature.num_encoded)
    held_out = blocks_of(split.validation, to_test, signature.num_encoded)
    spec = create.model
    assert spec is not None  # noqa: S101  resolved
    network = build_network(spec, signature)
    y = rows.y if isinstance(rows, Rows) else to_train(known).y
    scale = target_scale(create, signature.task, network.last_layer, y)
    model = network.in_target_units(scale)
    compile_model(model, create.compile)

    def draw(seed: int) -> None:
        keras.utils.set_random_seed(seed)
        fresh = build_network(spec, signature).in_target_units(scale)
        assign(model.variables, fresh.variables)

    fitted = fit(
        Job(
            model,
            fit_spec,
            rows,
            held_out if held_out.num_rows else None,
            pulse,
            min(fit_spec.time_limit_seconds or max_seconds, max_seconds),
            keeper,
            draw,
        )
    )
    pulse.guard.begin(max_seconds)
    if split.test.num_rows and is_usable(fitted):
        unseen = blocks_of(split.test, to_test, signature.num_encoded)
        fitted.metrics.update(_test(model, unseen, create))
    if scale is not None:
        scale.fold_into(network.last_layer)
    return Trained(network, signature, fitted, split)


def _test(model: keras.Model, rows: Blocks, create: RunCreate) -> dict[str, float | None]:
    """Loss and metrics on rows that no epoch has seen."""
    assert create.fit.batch_size is not None  # noqa: S101  resolved
    logs = evaluate(model, rows, create.fit.batch_size)
    return {f"test_{name}": finite(value) for name, value in logs.items()}


def _split(run: Run, create: RunCreate, tables: Tables, storage: Storage) -> Sides:
    columns = list(run.plan.features)
    table = Table(storage.local_path(tables.train), columns, run.target)
    assert create.fit.seed is not None  # noqa: S101  resolved
    task, shares = Task(run.task), shares_of(create)
    sides = table.split(task, create.split, shares, create.fit.seed)
    if tables.validation is None:
        return sides
    own = Table(storage.local_path(tables.validation), columns, run.target)
    return replace(sides, validation=own.rows())


def _signature(run: Run, create: RunCreate, rows: pl.DataFrame) -> Signature:
    given = create.features
    signature = Signature(
        model_name=run.model_name,
        task=Task(run.task),
        target=run.target,
        classes=run.plan.classes or None,
        ignored=list(run.plan.excluded),
        null_values=run.plan.null_values,
        features=[
            fit_feature(
                name,
                kind,
                run.plan.format_of(name),
                rows[name],
                standardize=given.standardize,
                num_bins=given.num_bins,
            )
            for name, kind in run.plan.features.items()
        ],
    )
    return with_examples(signature, rows)


def _encoder(
    signature: Signature, known: pl.DataFrame, create: RunCreate, *, weighed: bool
) -> Callable[[pl.DataFrame], Rows]:
    """What encodes frames; the weights of classes go by the rows that are `known`."""
    classes = signature.classes or []
    is_one_hot = create.compile.loss == "categorical_crossentropy"
    given = create.fit.class_weight if weighed else None
    if given == "balanced":
        places = encode_target(known[signature.target], classes)
        given = balanced_weights(places, classes)

    def encoded(frame: pl.DataFrame) -> Rows:
        y = encode_target(frame[signature.target], classes)
        weight = row_weights(y, classes, given)
        return Rows(
            encode(signature, frame),
            one_hot(y, len(classes)) if is_one_hot else y,
            weight,
        )

    return encoded


def is_usable(fitted: Fitted) -> bool:
    """Whether the fit left weights worth keeping."""
    return fitted.best_epoch is not None
