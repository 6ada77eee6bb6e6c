"""Train the network of a run, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import keras
import polars as pl

from core.columns import READING
from core.datasets.typed_table import TypedTable
from core.models.signature import Signature
from core.runs.planning.splits import SplitCodes
from core.runs.run_tables import RunTables
from core.runs.spec import ResolvedSpec
from core.runs.tables import Run
from workers.heartbeat import Heartbeat, finite
from workers.training.batches import Batches, InMemoryBatches, make_batches
from workers.training.build import compile_model
from workers.training.checkpointer import Checkpointer
from workers.training.compiled_epoch import evaluate
from workers.training.dataset import sample
from workers.training.example import with_examples
from workers.training.feature_fit import fit_feature
from workers.training.feature_transform import encode
from workers.training.multi_seed import assign
from workers.training.network import Network, build_network
from workers.training.splits import SourceTable, Splits
from workers.training.target_scale import TargetScale, target_offset, target_scale
from workers.training.targets import (
    balanced_weights,
    encode_target,
    one_hot,
    product,
    row_weights,
    sample_weights,
)
from workers.training.trainer import FitJob, FitResult, fit


@dataclass(frozen=True)
class Trained:
    """A trained network, with its signature and the raw rows of its splits."""

    network: Network
    signature: Signature
    result: FitResult
    splits: Splits


def train(
    run: Run,
    tables: RunTables,
    codes: SplitCodes,
    heartbeat: Heartbeat,
    max_seconds: float,
    checkpointer: Checkpointer,
) -> Trained:
    """Train the network of a claimed run; `codes` has the side of each row."""
    spec = run.spec
    keras.utils.set_random_seed(spec.fit.seed)
    splits = _split(run, tables, codes)
    known = sample(splits.train, spec.fit.seed)
    signature = _fit_signature(run, tables.train, known)
    network = build_network(spec.model, signature)
    offset = target_offset(spec, network.last_layer, known[signature.target])
    signature = signature.model_copy(update={"offset": offset})
    encode_train = _encoder(signature, known, spec, is_training=True)
    encode_test = _encoder(signature, known, spec, is_training=False)
    rows = make_batches(splits.train, encode_train, signature.num_encoded)
    held_out = make_batches(splits.validation, encode_test, signature.num_encoded)
    y = rows.y if isinstance(rows, InMemoryBatches) else encode_train(known).y
    scale = target_scale(spec, network.last_layer, y)
    model = network.in_target_units(scale)
    compile_model(model, spec.compile, offset)
    validation = held_out if held_out.num_rows else None
    seconds = min(spec.fit.time_limit_seconds or max_seconds, max_seconds)
    draw = partial(_draw_weights, model, spec, signature, scale)
    result = fit(
        FitJob(model, spec.fit, rows, validation, heartbeat, seconds, checkpointer, draw)
    )
    heartbeat.hang_detector.begin(max_seconds)
    if splits.test.num_rows and result.has_weights:
        unseen = make_batches(splits.test, encode_test, signature.num_encoded)
        result.metrics.update(_test_metrics(model, unseen, spec.fit.batch_size))
    if scale is not None:
        scale.fold_into(network.last_layer)
    return Trained(network, signature, result, splits)


def _draw_weights(
    model: keras.Model,
    spec: ResolvedSpec,
    signature: Signature,
    scale: TargetScale | None,
    seed: int,
) -> None:
    """Assign the initial weights of a seed to the model."""
    keras.utils.set_random_seed(seed)
    fresh = build_network(spec.model, signature).in_target_units(scale)
    assign(model.variables, fresh.variables)


def _test_metrics(
    model: keras.Model, rows: Batches, batch_size: int
) -> dict[str, float | None]:
    logs = evaluate(model, rows, batch_size)
    return {f"test_{name}": finite(value) for name, value in logs.items()}


def _split(run: Run, tables: RunTables, codes: SplitCodes) -> Splits:
    columns = [*run.plan.features, *run.spec.fit.weight_columns]
    group = run.spec.split.group_column  # the report resamples whole groups
    own = columns if group is None else [*columns, group]
    splits = SourceTable(tables.train, own, run.target).split(codes)
    if tables.validation is None:
        return splits
    validation = SourceTable(tables.validation, columns, run.target)
    return replace(splits, validation=validation.rows())


def _fit_signature(run: Run, table: TypedTable, rows: pl.DataFrame) -> Signature:
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
    signature: Signature, known: pl.DataFrame, spec: ResolvedSpec, *, is_training: bool
) -> Callable[[pl.DataFrame], InMemoryBatches]:
    """Return a function that encodes frames.

    Class weights apply only in training, as in Keras; sample weights apply to all rows.
    Balanced class weights are computed from the rows in `known`.
    """
    classes, weight = signature.classes or [], spec.fit.sample_weight
    is_one_hot = spec.compile.loss == "categorical_crossentropy"
    class_weight = spec.fit.class_weight if is_training else None
    if class_weight == "balanced":
        indices = encode_target(known[signature.target], classes)
        class_weight = balanced_weights(indices, classes)

    def encoded(frame: pl.DataFrame) -> InMemoryBatches:
        y = encode_target(frame[signature.target], classes, signature.offset)
        return InMemoryBatches(
            encode(signature, frame),
            one_hot(y, len(classes)) if is_one_hot else y,
            product(
                row_weights(y, classes, class_weight),
                None if weight is None else sample_weights(frame[weight]),
            ),
        )

    return encoded
