"""Train specs on some rows of a table, and score them on rows that chose nothing.

The unseen rows have no target in the uploaded table, so no run uses them: neither to
train, nor to choose an epoch, nor in its report. Their targets are in another column,
which no run has as a feature. Each result is kept in a file, so the bench can be stopped
and continued, and rules can be changed without training again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.fit import Bench
from benchmarks.quality import Rows, by_network, scores
from benchmarks.tables import Table
from core.keys.caller import LOCAL
from core.models.repository import ModelRepository
from core.models.signature import Signature
from core.runs.diagnosis.facts import Facts
from core.runs.reporting.service import ReportService, facts_of
from core.runs.repository import RunRepository
from core.runs.serialize import history_to_schema, of_one_fit
from core.runs.spec import ResolvedSpec
from core.runs.tables import Run
from fitserve.schemas.report import MainFigure, Trap

MOST_ROWS = 3_000
MOST_KNOWN = 800
"""Rows for training and validation; all other rows are unseen."""
KNOWN = 0.6
TRUTH, PART = "answer of the unseen rows", "part of the split"

_FILE = Path(__file__).with_name("results") / "advice.jsonl"


@dataclass(frozen=True)
class Score:
    """The error (1 - R² or log loss) and the main figure (R² or AUC) on unseen rows."""

    error: float
    figure: float


@dataclass(frozen=True)
class Trained:
    """A run that has ended: its curve and facts, and its score if it has a network."""

    history: dict[str, list[float | None]]
    facts: Facts
    score: Score | None

    def to_json(self) -> dict[str, Any]:
        """Return the object as JSON."""
        traps = [trap.model_dump() for trap in self.facts.traps]
        figure = self.facts.main_figure
        changes: dict[str, Any] = {"spec": None, "traps": [], "main_figure": None}
        facts = asdict(replace(self.facts, **changes))
        facts |= {"spec": self.facts.spec.to_json(), "traps": traps}
        facts["main_figure"] = figure.model_dump() if figure else None
        score = asdict(self.score) if self.score else None
        return {"history": self.history, "facts": facts, "score": score}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Trained":
        """Build an object from JSON written by `to_json`."""
        facts = found["facts"] | {
            "spec": ResolvedSpec.model_validate(found["facts"]["spec"]),
            "traps": [Trap.model_validate(trap) for trap in found["facts"]["traps"]],
        }
        figure = facts["main_figure"]
        facts["main_figure"] = MainFigure.model_validate(figure) if figure else None
        score = Score(**found["score"]) if found["score"] else None
        return cls(found["history"], Facts(**facts), score)


class NotTrained(Exception):
    """The spec was not trained yet, and nothing shall be trained now."""


class Results:
    """The file of all runs that were trained, by table, seed and spec."""

    def __init__(self, path: Path = _FILE) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self._known = {line["key"]: line for line in map(json.loads, lines)}

    def get(self, key: str) -> Trained | None:
        """Return the result that is stored under a key; None if no result is."""
        line = self._known.get(key)
        return Trained.from_json(line) if line else None

    def add(self, key: str, trained: Trained) -> None:
        """Append a result to the file."""
        self._known[key] = {"key": key, **trained.to_json()}
        with self._path.open("a") as file:
            file.write(json.dumps(self._known[key]) + "\n")


class Trials:
    """Trainings on one table with one seed, which chooses the unseen rows."""

    def __init__(self, table: Table, seed: int, results: Results) -> None:
        self._table, self._seed, self._results = table, seed, results
        self._home = tempfile.TemporaryDirectory(prefix="fitserve-bench-")
        self._benches: dict[str, Bench] = {}

    def train(self, spec: dict[str, Any], rows: str, *, has_baselines: bool) -> Trained:
        """Return the result of a spec, from the file if it was trained before."""
        report = {"importance": False, "baselines": has_baselines}
        given = spec | {"dataset": "table", "report": report, "model_name": None}
        text = json.dumps([self._table.name, self._seed, rows, given], sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        if (known := self._results.get(key)) is not None:
            return known
        if os.environ.get("TRAIN") == "no":
            raise NotTrained
        # a model of its own: the versions of a model share their inputs
        run_id, _ = self._bench(rows).execute(given | {"model_name": f"advice-{key}"})
        trained = _result(self._bench(rows), run_id)
        self._results.add(key, trained)
        return trained

    def close(self) -> None:
        """Delete the home."""
        for bench in self._benches.values():
            bench.database.close()
        self._home.cleanup()

    def _bench(self, rows: str) -> Bench:
        if rows not in self._benches:
            home = Path(self._home.name) / rows
            home.mkdir()
            write_rows(self._table, self._seed, rows, home / "source.csv")
            self._benches[rows] = Bench.of_csv(str(home), home / "source.csv")
        return self._benches[rows]


@contextmanager
def trials(table: Table, seed: int, results: Results) -> Iterator[Trials]:
    """Yield the trainings of a table and a seed, and delete their home at the end."""
    found = Trials(table, seed, results)
    try:
        yield found
    finally:
        found.close()


def write_rows(table: Table, seed: int, rows: str, path: Path) -> None:
    """Write up to `MOST_ROWS` rows of a table, without the targets of unseen rows.

    Args:
        table: the table.
        seed: chooses the rows.
        rows: `random`; `ordered`, by a column, so that later rows are different; or
            `leaking`, with nearly the target in a column that is empty in unseen rows.
        path: the file.

    """
    frame = table.load().dropna(subset=[table.target])
    frame = frame.drop(columns=[c for c in ("rownames",) if c in frame.columns])
    frame = frame.sample(min(len(frame), MOST_ROWS), random_state=seed)
    num_known = min(MOST_KNOWN, int(KNOWN * len(frame)))
    if rows == "ordered":
        frame = _in_order(frame, table.target, seed)
        is_trained_on = np.arange(len(frame)) < 0.8 * num_known
        frame[PART] = np.where(is_trained_on, "train", "validation")
    target = frame[table.target].astype(object)
    known = target.where(np.arange(len(frame)) < num_known, None)
    if rows == "leaking":
        frame["outcome"] = _leak(known, seed)
    frame = frame.assign(**{table.target: known, TRUTH: target})
    frame.to_csv(path, index=False)


def _leak(target: pd.Series, seed: int) -> pd.Series:
    """Return the target, or the index of its class, with a little noise."""
    is_known = target.notna()
    number = pd.to_numeric(target, errors="coerce")
    if number.notna().sum() < is_known.sum():
        number = pd.Series(pd.factorize(target)[0].astype(float), target.index)
    noise = np.random.default_rng(seed).normal(size=len(number))
    return (number + 0.02 * number[is_known].std() * noise).where(is_known)


def _in_order(frame: pd.DataFrame, target: str, seed: int) -> pd.DataFrame:
    """Return the rows in the order of a numeric column, another one for each seed."""
    numbers = frame.select_dtypes("number").drop(columns=target, errors="ignore")
    names = [name for name in numbers.columns if numbers[name].nunique() > 20]
    names = names or list(numbers.columns)
    return frame.sort_values(names[seed % len(names)], kind="stable")


def _result(bench: Bench, run_id: str) -> Trained:
    settings = bench.settings
    reports = ReportService(bench.storage, settings.report, settings.limits)
    with bench.database.read() as session:
        runs = RunRepository(session, LOCAL.workspace)
        models = ModelRepository(session, LOCAL.workspace)
        run = runs.get(run_id)
        report = reports.of_run(runs, models, run_id)
        epochs = of_one_fit(runs.epochs(run_id), run.best_epoch)
        found = history_to_schema(epochs).history
        history = {name: found[name] for name in ("loss", "val_loss") if name in found}
        facts = facts_of(run, report, report.baselines)
        return Trained(history, facts, _score(bench, models, run))


def _score(bench: Bench, models: ModelRepository, run: Run) -> Score | None:
    """Return the score of a run's network; None if it has no network."""
    if run.model_version is None:
        return None
    version = models.version(run.model_name, run.model_version)
    rows = _unseen(bench, run, Signature.model_validate(version.signature))
    with bench.storage.local_copy(version.artifact("model.onnx").key) as path:
        answers = by_network(path, rows)
    if not np.isfinite(answers).all():
        return None
    found = scores(rows, answers)
    return Score(found.get("log_loss", 1 - found["score"]), found["score"])


def _unseen(bench: Bench, run: Run, signature: Signature) -> Rows:
    """Return the unseen rows with their targets, of classes that the run knows."""
    names = [*(feature.name for feature in signature.features), run.target, TRUTH]
    with bench.storage.local_copy(run.dataset.table_key) as table:
        frame = pl.read_parquet(table, columns=names)
    known = frame.filter(pl.col(run.target).is_not_null())
    unseen = frame.filter(pl.col(run.target).is_null())
    if signature.classes:
        unseen = unseen.filter(pl.col(TRUTH).is_in(known[run.target].unique().to_list()))
    return Rows(signature, known, unseen.with_columns(pl.col(TRUTH).alias(run.target)))
