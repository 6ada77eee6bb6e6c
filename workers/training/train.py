"""Train the network of a run: the steps in order, nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import polars as pl

from core.columns import READING
from core.datasets.typed_table import TypedTable
from core.models.signature import Signature
from core.runs.planning.splits import shares_of
from core.runs.run_tables import RunTables
from core.runs.spec import ResolvedSpec
from core.runs.tables import Run
from workers.heartbeat import Heartbeat, finite
from workers.training.batches import Blocks, Rows
from workers.training.build import compile_model
from workers.training.checkpointer import Checkpointer
from workers.training.compiled_epoch import evaluate
from workers.training.dataset import sample
from workers.training.example import with_examples
from workers.training.feature_fit import fit_feature
from workers.training.feature_transform import encode
from workers.training.multi_seed import assign
from workers.training.network import Network, build_network
from workers.training.splits import Sides, Table
from workers.training.streamed_batches import blocks_of
from workers.training.target_scale import target_scale
from workers.training.targets import (
    balanced_weights,
    encode_target,
    one_hot,
    row_weights,
)
from workers.training.trainer import FitJob, FitResult, fit


@dataclass(frozen=True)
class Trained:
    """A trained network, with what is needed to serve it and to report on it."""

    network: Network
    signature: Signature
    result: FitResult
    sides: Sides
    """The raw rows of each side, for the report."""


def train(
    run: Run,
    tables: RunTables,
    heartbeat: Heartbeat,
    max_seconds: float,
    checkpointer: Checkpointer,
) -> Trained:
    """Train the network of a claimed run."""
    spec = run.spec
    keras.utils.set_random_seed(spec.fit.seed)
    split = _split(run, tables)
    known = sample(split.train, spec.fit.seed)
    signature = _signature(run, tables.train, known)
    to_train = _encoder(signature, known, spec, weighed=True)
    to_test = _encoder(signature, known, spec, weighed=False)
    rows = blocks_of(split.train, to_train, signature.num_encoded)
    held_out = blocks_of(split.validation, to_test, signature.num_encoded)
    network = build_network(spec.model, signature)
    y = rows.y if isinstance(rows, Rows) else to_train(known).y
    scale = target_scale(spec, network.last_layer, y)
    model = network.in_target_units(scale)
    compile_model(model, spec.compile)

    def draw(seed: int) -> None:
        keras.utils.set_random_seed(seed)
        fresh = build_network(spec.model, signature).in_target_units(scale)
        assign(model.variables, fresh.variables)

    result = fit(
        FitJob(
            model,
            spec.fit,
            rows,
            held_out if held_out.num_rows else None,
            heartbeat,
            min(spec.fit.time_limit_seconds or max_seconds, max_seconds),
            checkpointer,
            draw,
        )
    )
    heartbeat.hang_detector.begin(max_seconds)
    if split.test.num_rows and is_usable(result):
        unseen = blocks_of(split.test, to_test, signature.num_encoded)
        result.metrics.update(_test(model, unseen, spec.fit.batch_size))
    if scale is not None:
        scale.fold_into(network.last_layer)
    return Trained(network, signature, result, split)


def _test(model: keras.Model, rows: Blocks, batch_size: int) -> dict[str, float | None]:
    """Return the loss and the metrics on the test rows."""
    logs = evaluate(model, rows, batch_size)
    return {f"test_{name}": finite(value) for name, value in logs.items()}


def _split(run: Run, tables: RunTables) -> Sides:
    spec, columns = run.spec, list(run.plan.features)
    table = Table(tables.train, columns, run.target)
    shares = shares_of(spec.split, spec.fit)
    sides = table.split(spec.task, spec.split, shares, spec.fit.seed)
    if tables.validation is None:
        return sides
    own = Table(tables.validation, columns, run.target)
    return replace(sides, validation=own.rows())


def _signature(run: Run, table: TypedTable, rows: pl.DataFrame) -> Signature:
    given = run.spec.features
    formats = {column.name: column.format for column in table.columns}
    signature = Signature(
        model_name=run.model_name,
        task=run.spec.task,
        target=run.target,
        classes=run.plan.classes or None,
        ignored=list(run.plan.excluded),
        null_values=run.plan.null_values,
        reading=READING,
        features=[
            fit_feature(
                name,
                kind,
                formats[name],
                rows[name],
                standardize=given.standardize,
                num_bins=given.num_bins,
            )
            for name, kind in run.plan.features.items()
        ],
    )
    return with_examples(signature, rows)


def _encoder(
    signature: Signature, known: pl.DataFrame, spec: ResolvedSpec, *, weighed: bool
) -> Callable[[pl.DataFrame], Rows]:
    """Return a function that encodes frames.

    Balanced weights of classes are those of the rows in `known`.
    """
    classes = signature.classes or []
    is_one_hot = spec.compile.loss == "categorical_crossentropy"
    given = spec.fit.class_weight if weighed else None
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


def is_usable(result: FitResult) -> bool:
    """Return whether the fit left weights worth keeping."""
    return result.best_epoch is not None
