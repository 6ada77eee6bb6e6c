"""Score predictions by the metrics of a task, and explain missing parts of a report.

The network and its baselines are scored by the same function on the same rows.
"""

import numpy as np

from core.models import scores
from core.models.scores import CLASSIFICATION, REGRESSION, Numbers
from fitserve.enums import Task
from fitserve.schemas.report import Metrics

MOST_CLASSES = 100
"""With more classes, a report leaves out the figures that grow with the classes."""
_MEDIAN = "median_absolute_error"

Reasons = dict[str, str]


def score(
    task: Task, y: Numbers, answers: Numbers, weights: Numbers | None = None
) -> tuple[Metrics, Reasons]:
    """Return the metrics of predictions, and the reasons why some are null.

    Args:
        task: decides which metrics are computed.
        y: targets `[N]`: values, or indices of classes.
        answers: predicted values `[N]`, or probabilities `[N, classes]`.
        weights: the weight of each row, above 0; None stands for weights of 1.

    """
    names = (*REGRESSION, _MEDIAN) if task == Task.REGRESSION else CLASSIFICATION
    rows = answers.reshape(len(answers), -1)
    if bad := int((~np.isfinite(rows).all(axis=1)).sum()):
        reason = f"for {bad:,} of {len(rows):,} rows the prediction is NaN or infinite"
        return dict.fromkeys(names), dict.fromkeys(names, reason)
    reasons = _undefined(task, y)
    found: Metrics = dict.fromkeys(names)
    for name in set(names) - reasons.keys():
        with np.errstate(over="ignore", invalid="ignore"):
            value = _metric(task, name, y, answers, weights)
        if value is not None and np.isfinite(value):
            found[name] = value
        else:
            reasons[name] = "it is infinite"
    return found, reasons


def _metric(
    task: Task, name: str, y: Numbers, answers: Numbers, weights: Numbers | None
) -> float | None:
    if name == _MEDIAN:
        return quantile(np.abs(y - answers), 0.5, weights)
    return scores.score(task, name, y, answers, weights)


def quantile(values: Numbers, q: float, weights: Numbers | None) -> float:
    """Return a quantile of values, each counted as often as its weight says.

    With weights it is the mean of the lower and the upper weighted quantile, so equal
    weights give the usual median.
    """
    if weights is None:
        return float(np.quantile(values, q))
    lower = np.quantile(values, q, method="inverted_cdf", weights=weights)
    upper = -np.quantile(-values, 1 - q, method="inverted_cdf", weights=weights)
    return float((lower + upper) / 2)


def _undefined(task: Task, y: Numbers) -> Reasons:
    """Return the metrics that are undefined for these targets, with the reasons."""
    if task == Task.REGRESSION:
        same = "the target is the same in all of these rows"
        return {"r2": same} if np.ptp(y) == 0 else {}
    num_classes, areas = len(np.unique(y)), ("roc_auc", "pr_auc")
    if num_classes < 2:
        return dict.fromkeys(areas, "all of these rows are of one class")
    if num_classes > MOST_CLASSES:
        return dict.fromkeys(areas, f"the target has more than {MOST_CLASSES} classes")
    return {}


def failure_reason(error: Exception) -> str:
    """Return the reason for a part that raised. The log has the full traceback."""
    return f"it failed ({type(error).__name__}); see the log of the worker"
