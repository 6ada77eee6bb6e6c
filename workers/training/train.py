"""A run from its rows to its artifacts: the steps in order, nothing else."""

from dataclasses import dataclass

import keras
import polars as pl

from core.models.signature import Signature
from core.runs.tables import Run
from core.storage import Storage
from fitserve.specs.run import RunCreate
from fitserve.statuses import ColumnType, StopReason, Task
from workers.pulse import Pulse
from workers.training.build import build, compile_model
from workers.training.data import Split, read_rows, split_rows
from workers.training.encoding import encode, fit_feature
from workers.training.epochs import Rows
from workers.training.fit import Fitted, fit
from workers.training.targets import encode_target, one_hot, row_weights


@dataclass(frozen=True)
class Trained:
    """The network with what is needed to serve it."""

    network: keras.Sequential
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
    network = build(create.model, len(signature.inputs))
    compile_model(network, create.compile)
    fitted = fit(
        network,
        fit_spec,
        rows,
        held_out if len(held_out.x) else None,
        pulse,
        min(fit_spec.time_limit_seconds or max_seconds, max_seconds),
    )
    return Trained(network, signature, fitted)


def _split(run: Run, create: RunCreate, tables: Tables, storage: Storage) -> Split:
    columns = list(run.plan["features"])
    rows = read_rows(storage.local_path(tables.train), columns, run.target)
    if tables.validation is not None:
        path = storage.local_path(tables.validation)
        return Split(rows, read_rows(path, columns, run.target))
    assert create.fit.seed is not None  # noqa: S101  resolved
    return split_rows(
        rows, run.target, Task(run.task), run.num_rows["train"], create.fit.seed
    )


def _signature(run: Run, create: RunCreate, rows: pl.DataFrame) -> Signature:
    standardize = create.features.standardize
    return Signature(
        model_name=run.model_name,
        task=Task(run.task),
        target=run.target,
        classes=run.plan["classes"] or None,
        ignored=list(run.plan["excluded"]),
        features=[
            fit_feature(name, ColumnType(kind), rows[name], standardize=standardize)
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
