"""Compute the metrics that a promotion can require, in plain NumPy.

The API process does not load scikit-learn (60 MB); a test compares the results with it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitserve.enums import Task

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

REGRESSION = ("r2", "mae", "rmse")
CLASSIFICATION = (
    "accuracy",
    "balanced_accuracy",
    "log_loss",
    "roc_auc",
    "pr_auc",
    "brier",
)
_EPSILON = float(np.finfo(np.float64).eps)


def as_answers(output: NDArray[np.floating[Any]], task: Task) -> Numbers:
    """Return a network's output as values `[N]`, or as probabilities of every class."""
    wide = output.astype(np.float64)
    if task == Task.REGRESSION:
        values: Numbers = wide[:, 0]
        return values
    if task == Task.BINARY:
        return np.concatenate([1 - wide, wide], axis=1)
    return wide


def score(
    task: Task,
    metric: str,
    y: Numbers,
    answers: Numbers,
    weights: Numbers | None = None,
) -> float | None:
    """Return a metric of predictions for the targets `y`; None where it is undefined.

    `answers` are values `[N]` or probabilities `[N, classes]`; `y` values or indices.
    `weights` are above 0; None stands for weights of 1.
    """
    if not np.isfinite(answers).all():
        return None
    weights = np.ones(len(y)) if weights is None else weights
    if task == Task.REGRESSION:
        return _OF_VALUES[metric](y, answers, weights)
    probabilities = answers / answers.sum(axis=1, keepdims=True)
    return _OF_CLASSES[metric](y.astype(np.int64), probabilities, weights)


def _mean(values: Numbers, weights: Numbers) -> float:
    return float(np.average(values, weights=weights))


def _r2(y: Numbers, predicted: Numbers, w: Numbers) -> float | None:
    spread = float(np.sum(w * (y - _mean(y, w)) ** 2))
    return 1 - float(np.sum(w * (y - predicted) ** 2)) / spread if spread else None


def _mae(y: Numbers, predicted: Numbers, w: Numbers) -> float:
    return _mean(np.abs(y - predicted), w)


def _rmse(y: Numbers, predicted: Numbers, w: Numbers) -> float:
    return float(np.sqrt(_mean((y - predicted) ** 2, w)))


def _accuracy(y: Places, p: Numbers, w: Numbers) -> float:
    return _mean(p.argmax(axis=1) == y, w)


def _balanced_accuracy(y: Places, p: Numbers, w: Numbers) -> float:
    labels = p.argmax(axis=1)
    shares = [_mean(labels[y == k] == k, w[y == k]) for k in np.unique(y)]
    return float(np.mean(shares))


def _log_loss(y: Places, p: Numbers, w: Numbers) -> float:
    of_truth = np.clip(p[np.arange(len(y)), y], _EPSILON, 1 - _EPSILON)
    return -_mean(np.log(of_truth), w)


def _brier(y: Places, p: Numbers, w: Numbers) -> float:
    both = _mean(np.sum((p - np.eye(p.shape[1])[y]) ** 2, axis=1), w)
    return both / 2 if p.shape[1] == 2 else both


def _roc_auc(y: Places, p: Numbers, w: Numbers) -> float | None:
    return _mean_of_classes(y, p, w, _area_under_roc)


def _pr_auc(y: Places, p: Numbers, w: Numbers) -> float | None:
    return _mean_of_classes(y, p, w, _average_precision)


Area = Callable[[NDArray[np.bool_], Numbers, Numbers], float]


def _mean_of_classes(y: Places, p: Numbers, w: Numbers, area: Area) -> float | None:
    """Return the mean area of one class against the rest; of two, the second's area."""
    classes = np.unique(y)
    if len(classes) < 2:
        return None
    if p.shape[1] == 2:
        classes = classes[-1:]
    return float(np.mean([area(y == k, p[:, k], w) for k in classes]))


def _area_under_roc(is_true: NDArray[np.bool_], p: Numbers, w: Numbers) -> float:
    """Return the probability that a true row is above another (Mann and Whitney, 1947).

    A tie counts as half.
    """
    values, place = np.unique(p, return_inverse=True)
    true = np.bincount(place, weights=w * is_true, minlength=len(values))
    other = np.bincount(place, weights=w * ~is_true, minlength=len(values))
    below = np.cumsum(other) - other / 2
    return float(np.sum(true * below) / (true.sum() * other.sum()))


def _average_precision(is_true: NDArray[np.bool_], p: Numbers, w: Numbers) -> float:
    """Return the sum of precision times the gain in recall over falling thresholds."""
    values, place = np.unique(-p, return_inverse=True)
    hits = np.cumsum(np.bincount(place, weights=w * is_true, minlength=len(values)))
    rows = np.cumsum(np.bincount(place, weights=w, minlength=len(values)))
    gains = np.diff(hits, prepend=0.0) / hits[-1]
    return float(np.sum(hits / rows * gains))


_OF_VALUES: dict[str, Callable[[Numbers, Numbers, Numbers], float | None]] = {
    "r2": _r2,
    "mae": _mae,
    "rmse": _rmse,
}
_OF_CLASSES: dict[str, Callable[[Places, Numbers, Numbers], float | None]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "roc_auc": _roc_auc,
    "pr_auc": _pr_auc,
    "brier": _brier,
}
