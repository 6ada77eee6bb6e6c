"""Train baselines: other models, on the run's split, that the network should beat."""

import logging
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from core.models.scores import Numbers
from fitserve.enums import Task
from fitserve.schemas.report import BaselineFigures, BaselineResult, Missing
from fitserve.specs.report import Baseline, ReportSpec
from workers.report import estimators
from workers.report.estimators import FittedBaseline, Goal
from workers.report.evidence import Evidence, SplitRows
from workers.report.forms import Form, linear_form, tree_form
from workers.report.scores import failure_reason, score
from workers.training.targets import row_weights

log = logging.getLogger(__name__)

ALL: tuple[Baseline, ...] = ("constant", "linear", "gradient_boosting")
_MOST_ROWS = 50_000
_MOST_NUMBERS = 100_000_000
"""The most rows times features times classes of the rows that a baseline is fitted on."""
_MOST_CLASSES = 50
"""With more classes, gradient boosting is too slow: each round grows a tree per class."""


class Stopped(Exception):
    """The worker is stopping, so it trains no more baselines."""


def wanted(spec: ReportSpec) -> tuple[Baseline, ...]:
    """Return the baselines that a spec asks for."""
    if isinstance(spec.baselines, bool):
        return ALL if spec.baselines else ()
    return tuple(name for name in ALL if name in spec.baselines)


def train_baselines(
    evidence: Evidence,
    held_out: SplitRows,
    names: tuple[Baseline, ...],
    seconds: float,
    is_stopping: Callable[[], bool],
) -> BaselineFigures:
    """Fit baselines on training rows and score them on held-out rows, within `seconds`.

    Raises Stopped if the worker stops.
    """
    began = time.monotonic()
    figures = BaselineFigures(results=[], missing=[], seconds=0.0)
    # OpenMP's threads wait for each other by spinning: on shared cores, two threads take
    # twenty times as long as one
    with threadpool_limits(limits=1, user_api="openmp"):
        for name in names:
            if is_stopping():
                raise Stopped
            _add(figures, name, evidence, held_out, began + seconds)
    figures.seconds = time.monotonic() - began
    return figures


def _add(
    figures: BaselineFigures,
    name: Baseline,
    evidence: Evidence,
    rows: SplitRows,
    until: float,
) -> None:
    """Add one baseline, or the reason why it is missing."""
    reason = _reason_against(name, evidence, until)
    if reason is None:
        try:
            figures.results.append(_train(name, evidence, rows, until))
        except Exception as error:  # must not fail the run, which has succeeded
            log.exception("the baseline %s failed", name)
            reason = failure_reason(error)
    if reason is not None:
        figures.missing.append(Missing(part=name, reason=reason))


def _reason_against(name: Baseline, evidence: Evidence, until: float) -> str | None:
    if time.monotonic() > until:
        return "the time limit of the baselines was reached"
    many = len(evidence.signature.classes or []) > _MOST_CLASSES
    if name == "gradient_boosting" and many:
        return f"it would take too long with more than {_MOST_CLASSES} classes"
    return None


def _train(
    name: Baseline, evidence: Evidence, held_out: SplitRows, until: float
) -> BaselineResult:
    began = time.monotonic()
    train = evidence.train.head(_num_rows(evidence))
    make_form = tree_form if name == "gradient_boosting" else linear_form
    form = make_form(train, held_out)
    # the constant prediction is the majority class, whatever the weights
    class_weights = None if name == "constant" else _class_weights(evidence, train)
    is_regression = evidence.signature.task == Task.REGRESSION
    all_weights = _product(train.weights, class_weights)
    goal = Goal(train.y, all_weights, is_regression=is_regression)
    fitted = _fit(name, form, goal, until, evidence.seed)
    answers = fitted.answers(form.x_held_out, len(evidence.signature.classes or []))
    task, weights = evidence.signature.task, held_out.weights
    metrics, _ = score(task, held_out.y, answers, weights)
    return BaselineResult(
        name=name,
        estimator=type(fitted.model).__name__,
        num_train_rows=len(train.y),
        seconds=time.monotonic() - began,
        metrics=metrics,
        note=fitted.note,
        is_class_weighted=class_weights is not None,
    )


def _class_weights(evidence: Evidence, train: SplitRows) -> Numbers | None:
    """Return the class weight of each row, as the network had it; None without any."""
    given, classes = evidence.fit.class_weight, evidence.signature.classes or []
    weights = row_weights(train.y.astype(np.float32)[:, None], classes, given)
    return None if weights is None else weights.astype(np.float64)


def _product(first: Numbers | None, second: Numbers | None) -> Numbers | None:
    """Return the product of two weights of each row; None stands for weights of 1."""
    if first is None or second is None:
        return second if first is None else first
    return first * second


def _num_rows(evidence: Evidence) -> int:
    classes = max(1, len(evidence.signature.classes or []))
    affordable = _MOST_NUMBERS // (len(evidence.signature.inputs) * classes)
    return min(_MOST_ROWS, max(1_000, affordable))


def _fit(
    name: Baseline, form: Form, goal: Goal, until: float, seed: int
) -> FittedBaseline:
    if name == "constant":
        return estimators.constant(form, goal)
    if name == "linear":
        return estimators.linear(form, goal, until)
    return estimators.gradient_boosting(form, goal, until, seed)
