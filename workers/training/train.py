"""A run from its rows to its artifacts: the steps in order, nothing else."""

from dataclasses import dataclass, replace

import keras
import polars as pl

from core.models.signature import Signature
from core.runs.split_counts import shares_of
from core.runs.tables import Run
from core.storage import Storage
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.run import RunCreate
from fitserve.statuses import ColumnType, StopReason, Task
from workers.pulse import Pulse
from workers.training.blocks import Rows
from workers.training.build import compile_model
from workers.training.data import Split, read_rows, split_rows
from workers.training.encoders import fit_feature
from workers.training.encoding import encode
from workers.training.fit import Fitted, fit
from workers.training.network import Network, build_network
from workers.training.target_scale import TargetScale, target_scale
from workers.training.targets import encode_target, one_hot, row_weights


@dataclass(frozen=True)
class Trained:
    """The network with what is needed to serve it."""

    network: Network
    signature: Signature
    fitted: Fitted


@dataclass(frozen=True)
class Tables:
    """Storage keys of a run's Parquet tables."""

    train: str
    validation: str | None


def train(
    run: Run, tables: Tables, storage: Storage, pulse: Pulse, max_seconds: float
) -> Trained:
    """Train the network of a claimed run."""
    create = RunCreate.model_validate(run.spec)
    fit_spec = create.fit
    keras.utils.set_random_seed(fit_spec.seed)
    split = _split(run, create, tables, storage)
    signature = _signature(run, create, split.train)
    rows = _rows(signature, split.train, create, weighed=True)
    held_out = _rows(signature, split.validation, create, weighed=False)
    assert create.model is not None  # noqa: S101  resolved
    network = build_network(create.model, signature)
    scale = target_scale(create, signature.task, network.body.layers[-1], rows.y)
    model = _in_target_units(network.model, scale)
    compile_model(model, create.compile)
    fitted = fit(
        model,
        fit_spec,
        rows,
        held_out if len(held_out.x) else None,
        pulse,
        min(fit_spec.time_limit_seconds or max_seconds, max_seconds),
    )
    if len(split.test) and is_usable(fitted):
        fitted.metrics.update(_test(model, signature, split.test, create))
    if scale is not None:
        scale.fold_into(network.body.layers[-1])
    return Trained(network, signature, fitted)


def _in_target_units(model: keras.Model, scale: TargetScale | None) -> keras.Model:
    return model if scale is None else keras.Model(model.inputs, scale(model.outputs[0]))


def _test(
    model: keras.Model, signature: Signature, frame: pl.DataFrame, create: RunCreate
) -> dict[str, float]:
    """Loss and metrics on rows that no epoch has seen."""
    rows = _rows(signature, frame, create, weighed=False)
    size = create.fit.batch_size
    logs = model.evaluate(rows.x, rows.y, batch_size=size, verbose=0, return_dict=True)
    return {f"test_{name}": float(value) for name, value in logs.items()}


def _split(run: Run, create: RunCreate, tables: Tables, storage: Storage) -> Split:
    columns = list(run.plan["features"])
    by = [create.split.column] if create.split.column is not None else []
    rows = read_rows(storage.local_path(tables.train), columns + by, run.target)
    assert create.fit.seed is not None  # noqa: S101  resolved
    split = split_rows(
        rows,
        run.target,
        Task(run.task),
        create.split,
        shares_of(create),
        create.fit.seed,
    )
    if tables.validation is None:
        return split
    path = storage.local_path(tables.validation)
    return replace(split, validation=read_rows(path, columns, run.target))


def _signature(run: Run, create: RunCreate, rows: pl.DataFrame) -> Signature:
    standardize = create.features.standardize
    return Signature(
        model_name=run.model_name,
        task=Task(run.task),
        target=run.target,
        classes=run.plan["classes"] or None,
        ignored=list(run.plan["excluded"]),
        null_values=run.plan["null_values"],
        features=[
            fit_feature(
                name,
                ColumnType(kind),
                ColumnFormat.model_validate(run.plan["formats"][name]),
                rows[name],
                standardize=standardize,
            )
            for name, kind in run.plan["features"].items()
        ],
    )


def _rows(
    signature: Signature, frame: pl.DataFrame, create: RunCreate, *, weighed: bool
) -> Rows:
    classes = signature.classes or []
    y = encode_target(frame[signature.target], classes)
    weight = row_weights(y, classes, create.fit.class_weight) if weighed else None
    if create.compile.loss == "categorical_crossentropy":
        y = one_hot(y, len(classes))
    return Rows(encode(signature, frame), y, weight)


def is_usable(fitted: Fitted) -> bool:
    """Whether the fit left weights worth keeping."""
    return fitted.best_epoch is not None and fitted.stop_reason != StopReason.NAN_LOSS
