"""The report's figures, part by part: one that fails is told and costs nothing else."""

import logging
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from core.models.scores import Numbers
from core.runs.leases import LeaseLost
from fitserve.enums import Task
from fitserve.schemas.report import (
    Figures,
    HeldOutPairs,
    Importances,
    Metrics,
    Missing,
    RegressionFigures,
    ResidualQuantile,
    Trap,
)
from fitserve.specs.report import ReportSpec
from workers.heartbeat import Heartbeat, RunReleased
from workers.report.classification import classification_figures
from workers.report.data_checks import traps
from workers.report.evidence import Evidence, Rows
from workers.report.importance import OutOfTime, importances
from workers.report.reasons import failed
from workers.report.scores import Reasons, score

log = logging.getLogger(__name__)
Found = TypeVar("Found")

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TRAINING_ROWS = 2_000
_MOST_PAIRS = 500
_LEAST_SECONDS = 0.2
_LEAK_SECONDS = 0.5
_SHARE = 0.05
"""Importance may take this share of the fit's time, and the search for leaks too."""


class Parts:
    """Makes parts of a report, and notes those that could not be made."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self.missing: list[Missing] = []
        self._heartbeat = heartbeat

    def make(self, name: str, make: Callable[[], Found]) -> Found | None:
        """The part, or None; only the end of the attempt goes through."""
        self._heartbeat.hang_detector.heard()
        if self._heartbeat.is_stopping() or self._heartbeat.cancelled.is_set():
            self.lack(name, "the run was being stopped")
            return None
        try:
            return make()
        except (LeaseLost, RunReleased):
            raise
        except OutOfTime:
            self.lack(name, "it would have taken too large a share of the run")
        except Exception as error:  # the network is trained: it must not be lost
            log.exception("run %s: no %s", self._heartbeat.lease.run_id, name)
            self.lack(name, failed(error))
        return None

    def lack(self, name: str, reason: str) -> None:
        """Note why there is no such part."""
        self.missing.append(Missing(part=name, reason=reason))


def measure(
    evidence: Evidence, spec: ReportSpec, heartbeat: Heartbeat, fit_seconds: float
) -> Figures:
    """All that the report says of the network and of its rows, but its own seconds."""
    parts, task, held_out = Parts(heartbeat), evidence.signature.task, evidence.held_out
    figures = Figures(
        task=task,
        held_out=evidence.side,
        metrics={},
        training_metrics={},
        reasons={},
        regression=None,
        classification=None,
        importance=None,
        traps=_traps(evidence, parts, fit_seconds),
        missing=[],
        fit_seconds=fit_seconds,
        report_seconds=0.0,
    )
    if held_out is None:
        parts.lack("metrics", _NOTHING_HELD_OUT)
    else:
        _measure_network(figures, evidence, held_out, parts)
        if spec.importance:
            figures.importance = _importance(evidence, held_out, parts, fit_seconds)
        else:
            parts.lack("importance", "the spec says `report.importance: false`")
    figures.missing = parts.missing
    return figures


_NOTHING_HELD_OUT = (
    "no rows were held out; give `fit.validation_split` or `split.test` a share of them"
)


def _measure_network(
    figures: Figures, evidence: Evidence, held_out: Rows, parts: Parts
) -> None:
    answers = parts.make("metrics", lambda: evidence.answers(held_out.x))
    if answers is None:
        return
    task, y = figures.task, held_out.y
    scored: tuple[Metrics, Reasons] | None = parts.make(
        "metrics", lambda: score(task, y, answers)
    )
    figures.metrics, figures.reasons = scored or ({}, {})
    if np.isfinite(answers).all():
        _measure_answers(figures, evidence, y, answers, parts)
    known = evidence.train.head(_TRAINING_ROWS)
    on_training = parts.make(
        "training_metrics",
        lambda: score(task, known.y, evidence.answers(known.x)),
    )
    figures.training_metrics = on_training[0] if on_training else {}


def _measure_answers(
    figures: Figures, evidence: Evidence, y: Numbers, answers: Numbers, parts: Parts
) -> None:
    if figures.task == Task.REGRESSION:
        figures.regression = parts.make("regression", lambda: _residuals(y, answers))
        return
    names, places = evidence.signature.class_names, y.astype(np.int64)
    figures.classification = parts.make(
        "classification", lambda: classification_figures(places, answers, names)
    )


def _residuals(y: Numbers, predicted: Numbers) -> RegressionFigures:
    values = np.quantile(y - predicted, _QUANTILES)
    pairs = zip(_QUANTILES, values.tolist(), strict=True)
    return RegressionFigures(
        residual_quantiles=[ResidualQuantile(quantile=q, residual=v) for q, v in pairs],
        # the rows were shuffled by the run's seed: the first of them are a sample
        pairs=HeldOutPairs(
            actual=y[:_MOST_PAIRS].tolist(), predicted=predicted[:_MOST_PAIRS].tolist()
        ),
    )


def _traps(evidence: Evidence, parts: Parts, fit_seconds: float) -> list[Trap]:
    seconds = max(_LEAK_SECONDS, _SHARE * fit_seconds)
    kinds = traps(evidence, seconds)
    return [trap for kind, look in kinds for trap in parts.make(kind, look) or []]


def _importance(
    evidence: Evidence, held_out: Rows, parts: Parts, fit_seconds: float
) -> Importances | None:
    seconds = max(_LEAST_SECONDS, _SHARE * fit_seconds)
    return parts.make("importance", lambda: importances(evidence, held_out, seconds))
