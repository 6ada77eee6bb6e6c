"""Measure training by plain `keras.Model.fit` and by fitserve, in this process.

"run" compares a whole run, from its claim to its end with the saved artifacts and the
report, with only the `fit` of the plain script. "epochs" compares epochs per second,
without compilation on both sides. The cases give the shapes of the random tables.
"""

import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from benchmarks.arithmetic import epoch_flops, product_rate
from core.database.base import new_id
from core.database.migrate import upgrade
from core.database.sessions import Database
from core.datasets.ingest import Reader
from core.datasets.service import DatasetService, Upload
from core.keys.caller import LOCAL
from core.models.repository import ModelRepository
from core.models.tables import Version
from core.queue import Queue, make_celery
from core.runs.service import RunService
from core.runs.tables import Run
from core.settings import GIB, Limits, Settings
from core.storage import open_storage
from fitserve.specs.parsing import ParsingSpec
from fitserve.specs.run import RunCreate


@dataclass(frozen=True)
class Case:
    """The shape of a table, and a network."""

    name: str
    train_rows: int
    num_inputs: int
    hidden: list[int]
    batch_size: int
    epochs: int
    is_regularized: bool = False
    early_stopping: dict[str, Any] | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows, of which 70 % are training rows."""
        return round(self.train_rows / 0.7) + 1

    @property
    def flops(self) -> float:
        """Return the FLOPs of one epoch, including its validation."""
        widths = [self.num_inputs, *self.hidden, 1]
        return epoch_flops(widths, self.train_rows, self.rows - self.train_rows)

    @property
    def layers(self) -> list[dict[str, Any]]:
        """Return the layers of the network as in a spec."""
        layers: list[dict[str, Any]] = []
        for units in self.hidden:
            layers.append({"type": "Dense", "units": units, "activation": "relu"})
            if self.is_regularized:
                layers += [
                    {"type": "Dropout", "rate": 0.3},
                    {"type": "BatchNormalization"},
                ]
        return [*layers, {"type": "Dense", "units": 1}]

    @property
    def spec(self) -> dict[str, Any]:
        """Return the spec of the run, with early stopping if the case has it."""
        fit = {"validation_split": 0.3, "epochs": self.epochs, "seed": 1}
        fit["batch_size"] = min(self.batch_size, self.train_rows)
        if self.early_stopping:
            fit["early_stopping"] = self.early_stopping
        return {
            "dataset": "table",
            "target": "y",
            "model": {"layers": self.layers},
            "compile": {"optimizer": "adam", "loss": "mae"},
            "fit": fit,
        }


_RESULTS = Path(__file__).with_name("fit.json")
STOP = {"min_delta": 0.001, "patience": 20, "restore_best_weights": True}
CASES = [
    Case("ion", 245, 33, [4, 4], 512, 600),
    Case("wine small", 1119, 11, [16, 16], 32, 300),
    Case("wine course", 1119, 11, [512] * 3, 256, 500, early_stopping=STOP),
    Case("wine large", 1119, 11, [1024] * 3, 256, 60, is_regularized=True),
    Case("hotel", 89_542, 63, [256] * 2, 512, 20, is_regularized=True),
    Case("one epoch", 245, 33, [4, 4], 512, 1),
]


def draw(case: Case) -> np.ndarray:
    """Return random features and a noisy target, float32 `[rows, inputs + 1]`."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(case.rows, case.num_inputs))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + rng.normal(size=case.rows)
    return np.column_stack([x, y]).astype(np.float32)


def plain(case: Case, table: np.ndarray) -> tuple[float, float]:
    """Return the seconds of the plain script's fit, and of an epoch after compilation."""
    import keras  # noqa: PLC0415  the environment must be set first

    from workers.training.build import build  # noqa: PLC0415

    create = RunCreate.model_validate(case.spec)
    assert create.model is not None  # noqa: S101  the case gives it
    keras.utils.set_random_seed(1)
    model = build(create.model, case.num_inputs)
    model.compile("adam", "mae")
    n = case.train_rows
    x, y = table[:, :-1], table[:, -1:]
    ends: list[float] = []
    callbacks: list[Any] = [
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *_: ends.append(time.monotonic())
        )
    ]
    if case.early_stopping:
        callbacks.append(keras.callbacks.EarlyStopping("val_loss", **case.early_stopping))
    began = time.monotonic()
    model.fit(
        x[:n], y[:n], batch_size=case.batch_size, epochs=case.epochs, verbose=0,
        validation_data=(x[n:], y[n:]), callbacks=callbacks,
    )  # fmt: skip
    seconds = time.monotonic() - began
    return seconds / len(ends) * case.epochs if case.early_stopping else seconds, _pace(
        ends
    )


def _pace(ends: list[float]) -> float:
    if len(ends) < 2:
        return float("nan")
    return statistics.median(np.diff(ends))


class Bench:
    """A home with a dataset, in which this process trains runs as a worker does."""

    def __init__(self, home: str) -> None:
        # this process reads CSVs of every size
        limits = Limits(max_inline_bytes=4 * GIB)
        self.settings = Settings(home=Path(home), limits=limits)
        upgrade(self.settings.resolved_database_url)
        self.database = Database(self.settings.resolved_database_url)
        self.storage = open_storage(self.settings)
        self._queue = Queue(make_celery(self.settings))
        self._queue.send = lambda *_: True  # type: ignore[method-assign]  this process trains
        self.runs = RunService(self.storage, self._queue, limits)

    @classmethod
    def of_case(cls, home: str, case: Case, table: np.ndarray) -> "Bench":
        """Return a bench with the table of a case."""
        source = Path(home) / "source.csv"
        header = ",".join([*(f"x{i}" for i in range(case.num_inputs)), "y"])
        np.savetxt(source, table, delimiter=",", header=header, comments="", fmt="%.6g")
        return cls.of_csv(home, source)

    @classmethod
    def of_csv(cls, home: str, source: Path) -> "Bench":
        """Return a bench with a CSV as the dataset `table`."""
        bench = cls(home)
        bench.upload(source, "table")
        return bench

    def upload(self, source: Path, name: str) -> None:
        """Store a CSV as a dataset; its file is moved."""
        upload = Upload(source, "sha256", name, None, ParsingSpec())
        reader = Reader(self.storage, self.settings.limits)
        DatasetService(self.database, reader, self._queue).create(LOCAL, upload)

    def execute(self, spec: dict[str, Any]) -> tuple[str, float]:
        """Train a new run; return its id, and the seconds since its claim."""
        from workers.run_executor import RunExecutor  # noqa: PLC0415  imports Keras

        with self.database.write() as session:
            spec_ = RunCreate.model_validate(spec)
            resolved = self.runs.prepare(session, LOCAL, spec_)
            run_id = self.runs.create(session, LOCAL, resolved).id
        executor = RunExecutor(
            self.settings, self.database, self.storage, new_id("w"), bool
        )
        began = time.monotonic()
        executor.execute(run_id)
        return run_id, time.monotonic() - began

    def train(self, spec: dict[str, Any]) -> tuple[Run, Version, float]:
        """Train a new run; return it, its version, and the seconds since its claim."""
        run_id, seconds = self.execute(spec)
        with self.database.read() as session:
            run = session.get_one(Run, run_id)
            assert run.status == "succeeded", run.error  # noqa: S101  else no result
            version = ModelRepository(session, run.workspace).version(
                run.model_name, run.model_version
            )
            _ = run.dataset.table_key, version.artifacts  # read before the session ends
            return run, version, seconds

    def run(self, case: Case) -> tuple[float, float]:
        """Return the seconds from the claim to the end of a run, and of one epoch.

        The baselines are trained after the end, when the version is already served.
        """
        run, _, _ = self.train(case.spec)
        assert run.started_at and run.ended_at  # noqa: S101, PT018  a run that succeeded
        seconds = (run.ended_at - run.started_at).total_seconds()
        return seconds / run.epoch * case.epochs, self._pace(run.id)

    def _pace(self, run_id: str) -> float:
        from core.runs.repository import RunRepository  # noqa: PLC0415

        with self.database.read() as session:
            ends = [
                epoch.seconds
                for epoch in RunRepository(session, LOCAL.workspace).epochs(run_id)
            ]
        return _pace(ends[len(ends) // 2 :])


def measure(case: Case, repeats: int, rate: float) -> dict[str, Any]:
    """Return the medians of both sides, which are measured alternately."""
    table = draw(case)
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home:
        bench = Bench.of_case(home, case, table)
        pairs = [(plain(case, table), bench.run(case)) for _ in range(repeats)]
        bench.database.close()
    median: Callable[[int, int], float] = lambda side, which: statistics.median(  # noqa: E731
        pair[side][which] for pair in pairs
    )
    return {
        "case": case.name,
        "keras_fit_seconds": round(median(0, 0), 2),
        "fitserve_run_seconds": round(median(1, 0), 2),
        "run_ratio": round(median(0, 0) / median(1, 0), 2),
        "keras_epoch_ms": round(1000 * median(0, 1), 2),
        "fitserve_epoch_ms": round(1000 * median(1, 1), 3),
        "epochs_ratio": round(median(0, 1) / median(1, 1), 1),
        "limit_epoch_ms": round(1000 * case.flops / rate, 3),
    }


def _known(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that exist: one epoch has no pace, and JSON has no NaN."""
    return {name: value for name, value in figures.items() if value == value}  # noqa: PLR0124


def main() -> None:
    """Print one line of JSON per case, and write all to `benchmarks/fit.json`."""
    import keras  # noqa: PLC0415  warm it up, as the worker does

    warm = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    warm.compile("adam", "mae")
    warm.fit(np.zeros((4, 1)), np.zeros((4, 1)), verbose=0)
    gc.collect()
    gc.freeze()  # as the worker does
    wanted = os.environ.get("CASES", "").split(",")
    repeats = int(os.environ.get("REPEATS", "3"))
    rate = product_rate()
    print(json.dumps({"matrix_product_gflops": round(rate / 1e9, 1)}), flush=True)
    figures = []
    for case in CASES:
        if wanted == [""] or case.name in wanted:
            figures.append(_known(measure(case, repeats, rate)))
            print(json.dumps(figures[-1]), flush=True)
            _RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
