"""The figures that any model of a task has, by scikit-learn's names and formulas.

The network and its baselines are scored by the same function on the same rows.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from core.models.scores import CLASSIFICATION, REGRESSION, Numbers
from fitserve.enums import Task
from fitserve.schemas.report import Metrics

MOST_CLASSES = 100
"""With more, what has a part for each class is left out."""

_REGRESSION = (*REGRESSION, "median_absolute_error")

Reasons = dict[str, str]


def score(task: Task, y: Numbers, answers: Numbers) -> tuple[Metrics, Reasons]:
    """Figures of answers to rows with the targets `y`, and why some are null.

    `answers` are values `[N]`, or probabilities `[N, classes]`; `y` values or places.
    """
    names = _REGRESSION if task == Task.REGRESSION else CLASSIFICATION
    rows = answers.reshape(len(answers), -1)
    if bad := int((~np.isfinite(rows).all(axis=1)).sum()):
        reason = f"for {bad:,} of {len(rows):,} rows the answer is no number"
        return dict.fromkeys(names), dict.fromkeys(names, reason)
    with np.errstate(over="ignore", invalid="ignore"):
        if task == Task.REGRESSION:
            return _told(*_regression(y, answers))
        return _told(*_classification(y.astype(np.int64), answers))


def _told(found: Metrics, reasons: Reasons) -> tuple[Metrics, Reasons]:
    """JSON knows no infinity."""
    huge = [k for k, v in found.items() if v is not None and not np.isfinite(v)]
    return found | dict.fromkeys(huge), reasons | dict.fromkeys(huge, "it is infinite")


def _regression(y: Numbers, predicted: Numbers) -> tuple[Metrics, Reasons]:
    found: Metrics = {
        "r2": None,
        "mae": float(metrics.mean_absolute_error(y, predicted)),
        "rmse": float(metrics.root_mean_squared_error(y, predicted)),
        "median_absolute_error": float(metrics.median_absolute_error(y, predicted)),
    }
    if np.ptp(y) == 0:
        return found, {"r2": "the target is the same in all of these rows"}
    return found | {"r2": float(metrics.r2_score(y, predicted))}, {}


def _classification(
    y: NDArray[np.int64], probabilities: Numbers
) -> tuple[Metrics, Reasons]:
    places = np.arange(probabilities.shape[1])
    # float32 rows of a softmax sum to one only nearly
    even = probabilities / probabilities.sum(axis=1, keepdims=True)
    labels = even.argmax(axis=1)
    hit = np.array([float(np.mean(labels[y == k] == k)) for k in np.unique(y)])
    found: Metrics = {
        "accuracy": float(np.mean(labels == y)),
        "balanced_accuracy": float(hit.mean()),
        "log_loss": float(metrics.log_loss(y, even, labels=places)),
        "roc_auc": None,
        "pr_auc": None,
        "brier": _brier(y, even),
    }
    areas, reason = _areas(y, even)
    return found | areas, dict.fromkeys(("roc_auc", "pr_auc"), reason) if reason else {}


def _brier(y: NDArray[np.int64], probabilities: Numbers) -> float:
    """Brier, 1950; halved for two classes, as it has become usual."""
    hot = np.eye(probabilities.shape[1])[y]
    both = float(np.mean(np.sum((probabilities - hot) ** 2, axis=1)))
    return both / 2 if probabilities.shape[1] == 2 else both


def _areas(y: NDArray[np.int64], probabilities: Numbers) -> tuple[Metrics, str]:
    """Areas under both curves; with many classes the mean, each against the others."""
    classes = np.unique(y)
    if len(classes) < 2:
        return {}, "all of these rows are of one class"
    if len(classes) > MOST_CLASSES:
        return {}, f"the target has more than {MOST_CLASSES} classes"
    if probabilities.shape[1] == 2:
        classes = classes[-1:]
    roc = [metrics.roc_auc_score(y == k, probabilities[:, k]) for k in classes]
    pr = [metrics.average_precision_score(y == k, probabilities[:, k]) for k in classes]
    return {"roc_auc": float(np.mean(roc)), "pr_auc": float(np.mean(pr))}, ""
