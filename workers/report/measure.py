"""Compute the figures of a report in parts, so that one failure does not stop others."""

import logging
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from core.models.bootstrap import figure_interval
from core.models.scores import Numbers, Scored
from core.runs.leases import LeaseLost
from fitserve.enums import Task
from fitserve.main_figure import main_metric
from fitserve.schemas.report import (
    Figures,
    HeldOutPairs,
    MainFigure,
    Missing,
    RegressionFigures,
    ResidualQuantile,
    Trap,
)
from fitserve.specs.report import ReportSpec
from workers.heartbeat import Heartbeat, RunReleased
from workers.report.classification import classification_figures
from workers.report.data_checks import checks
from workers.report.evidence import Evidence, SplitRows
from workers.report.importance import OutOfTime, importances
from workers.report.scores import failure_reason, quantile, score

log = logging.getLogger(__name__)
Part = TypeVar("Part")

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TRAINING_ROWS = 2_000
_MOST_PAIRS = 500
_LEAST_SECONDS = 0.2
_LEAK_SECONDS = 0.5
_SHARE = 0.05
"""The share of the fit's time that importance, or the search for leaks, may take."""
_NOTHING_HELD_OUT = (
    "no rows were held out; set `fit.validation_split` or `split.test` to a share of rows"
)


class Parts:
    """A builder of report parts, which records why a part is missing."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self.missing: list[Missing] = []
        self._heartbeat = heartbeat

    def make(self, name: str, make: Callable[[], Part]) -> Part | None:
        """Return the part, or None if it fails. Raise only if the attempt must end."""
        self._heartbeat.hang_detector.heard()
        if self._heartbeat.is_stopping() or self._heartbeat.cancelled.is_set():
            self.note_missing(name, "the run was being stopped")
            return None
        try:
            return make()
        except (LeaseLost, RunReleased):
            raise
        except OutOfTime:
            self.note_missing(name, "it would take too large a share of the run's time")
        except Exception as error:  # the network is trained: it must not be lost
            log.exception("run %s: no %s", self._heartbeat.lease.run_id, name)
            self.note_missing(name, failure_reason(error))
        return None

    def note_missing(self, name: str, reason: str) -> None:
        """Note why a part is missing."""
        self.missing.append(Missing(part=name, reason=reason))


def measure(
    evidence: Evidence, spec: ReportSpec, heartbeat: Heartbeat, fit_seconds: float
) -> Figures:
    """Return the figures of the report. `report_seconds` is still 0."""
    parts = Parts(heartbeat)
    figures = Figures(
        task=evidence.signature.task,
        held_out=evidence.split,
        main_figure=None,
        metrics={},
        training_metrics={},
        reasons={},
        regression=None,
        classification=None,
        importance=None,
        traps=_traps(evidence, parts, max(_LEAK_SECONDS, _SHARE * fit_seconds)),
        missing=[],
        fit_seconds=fit_seconds,
        report_seconds=0.0,
    )
    if (held_out := evidence.held_out) is None:
        parts.note_missing("metrics", _NOTHING_HELD_OUT)
    else:
        _measure_network(figures, evidence, held_out, parts)
        if spec.importance:
            seconds = max(_LEAST_SECONDS, _SHARE * fit_seconds)
            figures.importance = parts.make(
                "importance", lambda: importances(evidence, held_out, seconds)
            )
        else:
            parts.note_missing("importance", "the spec has `report.importance: false`")
    figures.missing = parts.missing
    return figures


def _traps(evidence: Evidence, parts: Parts, seconds: float) -> list[Trap]:
    kinds = checks(evidence, seconds)
    return [trap for kind, check in kinds for trap in parts.make(kind, check) or []]


def _measure_network(
    figures: Figures, evidence: Evidence, held_out: SplitRows, parts: Parts
) -> None:
    answers = parts.make("metrics", lambda: evidence.answers(held_out.x))
    if answers is None:
        return
    task, y, weights = figures.task, held_out.y, held_out.weights
    offset = evidence.signature.offset
    scored = parts.make("metrics", lambda: score(task, y, answers, weights))
    figures.metrics, figures.reasons = scored or ({}, {})
    figures.main_figure = _main_figure(figures, evidence, held_out, answers, parts)
    if np.isfinite(answers).all():
        if task == Task.REGRESSION:
            figures.regression = parts.make(
                "regression", lambda: _residuals(y, answers, weights, offset)
            )
        else:
            names, indices = evidence.signature.class_names, y.astype(np.int64)
            figures.classification = parts.make(
                "classification",
                lambda: classification_figures(indices, answers, names, weights),
            )
    known = evidence.train.head(_TRAINING_ROWS)
    on_training = parts.make(
        "training_metrics",
        lambda: score(task, known.y, evidence.answers(known.x), known.weights),
    )
    figures.training_metrics = on_training[0] if on_training else {}


def _main_figure(
    figures: Figures,
    evidence: Evidence,
    held_out: SplitRows,
    answers: Numbers,
    parts: Parts,
) -> MainFigure | None:
    """Return the main metric of the task with its interval, if it was measured."""
    split, task = figures.held_out, figures.task
    metric = main_metric(task, figures.metrics)
    if split is None or metric is None:
        return None
    scored = Scored(task, held_out.y, answers, held_out.weights)
    bounds = parts.make(
        "interval",
        lambda: figure_interval(metric, scored, held_out.groups, evidence.seed),
    )
    low, high = bounds or (None, None)
    facts = {"metric": metric, "value": figures.metrics[metric], "side": split.side}
    counted = {"low": low, "high": high, "num_rows": split.num_scored}
    return MainFigure.model_validate(facts | counted)


def _residuals(
    y: Numbers, predicted: Numbers, weights: Numbers | None, offset: float
) -> RegressionFigures:
    values = {q: quantile(y - predicted, q, weights) for q in _QUANTILES}
    return RegressionFigures(
        residual_quantiles=[
            ResidualQuantile(quantile=q, residual=v) for q, v in values.items()
        ],
        # the rows are in random order: the first of them are a sample
        pairs=HeldOutPairs(
            actual=(y[:_MOST_PAIRS] + offset).tolist(),
            predicted=(predicted[:_MOST_PAIRS] + offset).tolist(),
        ),
    )
