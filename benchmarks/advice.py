"""Measure how often the suggested spec is better on rows that chose nothing.

Specs that users write are trained on each table with five seeds. Where the reading of a
run suggests a spec, that spec is trained too, and both networks are scored on the unseen
rows of `benchmarks.advice_runs`. A kind of suggestion is worth offering if at least 70 %
of its specs were better.

`LIMIT_SECONDS=240` ends the bench after that processor time, and the next call continues.
`TABLES` and `STARTS` choose some of the tables and specs, `SEEDS` the seeds. `TRAIN=no`
counts what was trained so far, for instance after a change of the rules.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.advice_page import page_table
from benchmarks.advice_runs import (
    PART,
    TRUTH,
    NotTrained,
    Results,
    Score,
    Trained,
    Trials,
    trials,
)
from benchmarks.quality import write_page
from benchmarks.tables import TABLES, Table
from core.errors import FitserveError
from core.runs.diagnosis.diagnosis import read_curve
from core.settings import Limits
from fitserve.schemas.report import Reading

_RESULTS = Path(__file__).with_name("advice.json")
_PAGE = Path(__file__).parent.parent / "docs" / "report-method.md"

Spec = dict[str, Any]


def _dense(*units: int) -> list[Spec]:
    return [{"type": "Dense", "units": n, "activation": "relu"} for n in units]


def _spec(layers: list[Spec], optimizer: Spec | None = None, **fit: Any) -> Spec:
    compiled = {"compile": {"optimizer": optimizer}} if optimizer else {}
    return {"model": {"layers": [*layers, {"type": "Output"}]}, "fit": fit, **compiled}


def _rate(rate: float, kind: str = "Adam") -> Spec:
    return {"type": kind, "learning_rate": rate}


_STOP = {"patience": 20, "restore_best_weights": True}
STARTS: dict[str, Spec] = {
    "default": {},
    "ordinary": _spec(_dense(64, 64), epochs=200, early_stopping=_STOP),
    "linear": {"preset": "linear"},
    "tiny network": _spec(_dense(2), epochs=100),
    "few epochs": _spec(_dense(64, 64), epochs=8),
    "low rate": _spec(_dense(64), _rate(1e-4), epochs=40),
    "short patience": _spec(
        _dense(64, 64), epochs=200, early_stopping=_STOP | {"patience": 2}
    ),
    "large network": _spec(_dense(256, 256), epochs=80),
    "high rate": _spec(_dense(64, 64), _rate(0.05), epochs=40),
    "far too high rate": _spec(_dense(64, 64), _rate(1.0, "SGD"), epochs=20),
    "small batches": _spec(_dense(64), _rate(0.01), epochs=30, batch_size=4),
    "batches of one row": _spec(
        [*_dense(16), {"type": "BatchNormalization"}], epochs=3, batch_size=1
    ),
    "ordered rows": _spec(_dense(64, 64), epochs=200, early_stopping=_STOP)
    | {"split": {"by": "column", "column": PART}},
    "leaking column": _spec(_dense(64, 64), epochs=200, early_stopping=_STOP),
}
"""Specs that users write, by what is usual or wrong about them."""
ROWS = {"ordered rows": "ordered", "leaking column": "leaking"}
"""The order or content of rows for some specs; all others have random rows."""


@dataclass(frozen=True)
class Case:
    """A trained spec, what its reading suggests, and the scores on unseen rows."""

    table: str
    seed: int
    start: str
    word: str
    kind: str | None
    before: Score | None
    after: Score | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the case as short JSON."""
        return asdict(self) | {
            side: score and [round(score.error, 5), round(score.figure, 5)]
            for side, score in (("before", self.before), ("after", self.after))
        }


def measure(tried: Trials, table: Table, seed: int, start: str) -> Case:
    """Train a spec and, where its reading suggests one, the next."""
    spec = {"target": table.target, **STARTS[start]}
    spec |= {
        "features": {"exclude": [TRUTH]},
        "fit": spec.get("fit", {}) | {"seed": seed},
    }
    rows = ROWS.get(start, "random")
    before = tried.train(spec, rows, has_baselines=True)
    reading = reading_of(before)
    case = Case(table.name, seed, start, reading.word, None, before.score)
    if reading.suggestion is None:
        return case
    after = tried.train(reading.suggestion.spec, rows, has_baselines=False)
    return replace(case, kind=reading.suggestion.kind, after=after.score)


def reading_of(trained: Trained) -> Reading:
    """Return the reading of a run under the present rules."""
    found = read_curve(trained.history, trained.facts, "table", Limits())
    assert found is not None  # noqa: S101  it has epochs
    return found


def cases(until: float) -> Iterator[Case]:
    """Yield the cases, all tables with the first seed first."""
    results = Results()
    for seed in map(int, os.environ.get("SEEDS", "0,1,2,3,4").split(",")):
        for table in TABLES:
            if _is_chosen("TABLES", table.name):
                with trials(table, seed, results) as tried:
                    yield from _cases_of(tried, table, seed, until)


def _cases_of(tried: Trials, table: Table, seed: int, until: float) -> Iterator[Case]:
    for start in STARTS:
        if time.process_time() > until or not _is_chosen("STARTS", start):
            continue
        try:
            yield measure(tried, table, seed, start)
        except NotTrained:
            continue
        except FitserveError as error:  # such as a side without a class
            print(f"{table.name}, {seed}, {start}: {error}", flush=True)


def _is_chosen(variable: str, name: str) -> bool:
    wanted = os.environ.get(variable, "")
    return not wanted or name in wanted.split(",")


def main() -> None:
    """Print a line per case; write `advice.json` and the page."""
    until = time.process_time() + float(os.environ.get("LIMIT_SECONDS", "inf"))
    found = []
    for case in cases(until):
        found.append(case.to_json())
        print(json.dumps(found[-1]), flush=True)
    lines = ",\n".join(map(json.dumps, found))
    _RESULTS.write_text(f"[\n{lines}\n]\n")
    write_page(_PAGE, page_table(found))
