"""Compute the metrics that a promotion can require, in plain NumPy.

The API process does not load scikit-learn (60 MB); a test compares the results with it.
Every metric is a function of the row weights `[..., N]`, so that one call computes it
for many sets of weights; an undefined metric is NaN.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

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
_ROUNDING = 1e-12
"""A variance below this share of the mean square counts as 0, rounded."""


class Scored(NamedTuple):
    """The answers of a network on rows, and what they are scored against.

    Args:
        task: decides how `y` and `answers` are read.
        y: the targets `[N]`: values, or indices of classes.
        answers: predicted values `[N]`, or probabilities `[N, classes]`.
        weights: the weight of each row, above 0; None stands for weights of 1.

    """

    task: Task
    y: Numbers
    answers: Numbers
    weights: Numbers | None = None

    def figure(self, metric: str) -> float | None:
        """Return a metric; None if it is undefined."""
        return score(self.task, metric, self.y, self.answers, self.weights)


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
    """Return a metric of answers; None if it is undefined.

    The arguments are the fields of `Scored`.
    """
    if not np.isfinite(answers).all():
        return None
    weights = np.ones(len(y)) if weights is None else weights
    value = float(scores(task, metric, y, answers, weights))
    return None if np.isnan(value) else value


def scores(
    task: Task, metric: str, y: Numbers, answers: Numbers, weights: Numbers
) -> Numbers:
    """Return a metric for each set of weights, NaN where it is undefined.

    `weights` are `[..., N]` and the result is `[...]`; a weight may be 0. The other
    arguments are those of `score`, and all answers must be finite.
    """
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        if task == Task.REGRESSION:
            return _OF_VALUES[metric](y, answers, weights)
        probabilities = answers / answers.sum(axis=1, keepdims=True)
        return _OF_CLASSES[metric](y.astype(np.int64), probabilities, weights)


def _mean(values: NDArray[Any], w: Numbers) -> Numbers:
    mean: Numbers = w @ values.astype(np.float64) / w.sum(axis=-1)
    return mean


def _r2(y: Numbers, predicted: Numbers, w: Numbers) -> Numbers:
    centred = y - np.mean(y)
    squares = _mean(centred**2, w)
    spread = squares - _mean(centred, w) ** 2
    spread = np.where(spread > _ROUNDING * squares, spread, np.nan)
    r2: Numbers = 1 - _mean((y - predicted) ** 2, w) / spread
    return r2


def _mae(y: Numbers, predicted: Numbers, w: Numbers) -> Numbers:
    return _mean(np.abs(y - predicted), w)


def _rmse(y: Numbers, predicted: Numbers, w: Numbers) -> Numbers:
    return np.sqrt(_mean((y - predicted) ** 2, w))


def _accuracy(y: Places, p: Numbers, w: Numbers) -> Numbers:
    return _mean(p.argmax(axis=1) == y, w)


def _balanced_accuracy(y: Places, p: Numbers, w: Numbers) -> Numbers:
    labels = p.argmax(axis=1)
    shares = [_mean(labels[y == k] == k, w[..., y == k]) for k in np.unique(y)]
    return np.asarray(np.mean(shares, axis=0))


def _log_loss(y: Places, p: Numbers, w: Numbers) -> Numbers:
    of_truth = np.clip(p[np.arange(len(y)), y], _EPSILON, 1 - _EPSILON)
    return -_mean(np.log(of_truth), w)


def _brier(y: Places, p: Numbers, w: Numbers) -> Numbers:
    both = _mean(np.sum((p - np.eye(p.shape[1])[y]) ** 2, axis=1), w)
    return both / 2 if p.shape[1] == 2 else both


def _roc_auc(y: Places, p: Numbers, w: Numbers) -> Numbers:
    return _mean_of_classes(y, p, w, _area_under_roc)


def _pr_auc(y: Places, p: Numbers, w: Numbers) -> Numbers:
    return _mean_of_classes(y, p, w, _average_precision)


_TIES: tuple[Literal["left", "right"], ...] = ("left", "right")
"""Where to insert a score among sorted ones: before its ties, and after them."""
Area = Callable[[NDArray[np.bool_], Numbers, Numbers], Numbers]


def _mean_of_classes(y: Places, p: Numbers, w: Numbers, area: Area) -> Numbers:
    """Return the mean area of each class against the rest; of two, that of the second."""
    classes = np.unique(y)
    if len(classes) < 2:
        return np.full(w.shape[:-1], np.nan)
    if p.shape[1] == 2:
        classes = classes[-1:]
    return np.asarray(np.mean([area(y == k, p[:, k], w) for k in classes], axis=0))


def _area_under_roc(is_true: NDArray[np.bool_], p: Numbers, w: Numbers) -> Numbers:
    """Return the share of pairs of a true and another row in which the true one is above.

    A tie counts as half (Mann and Whitney, 1947).
    """
    true, other = np.flatnonzero(is_true), np.flatnonzero(~is_true)
    other = other[np.argsort(p[other], kind="stable")]
    first, last = (np.searchsorted(p[other], p[true], side) for side in _TIES)
    below = np.zeros((*w.shape[:-1], len(other) + 1))
    np.cumsum(w[..., other], axis=-1, out=below[..., 1:])
    of_true = w[..., true]
    area: Numbers = np.sum(of_true * (below[..., first] + below[..., last]), axis=-1)
    pairs = of_true.sum(axis=-1) * below[..., -1]
    return np.asarray(area / pairs / 2)


def _average_precision(is_true: NDArray[np.bool_], p: Numbers, w: Numbers) -> Numbers:
    """Return the sum of precision times the gain in recall over falling thresholds."""
    order = np.argsort(-p, kind="stable")
    starts = np.flatnonzero(np.diff(-p[order], prepend=-np.inf))  # one step per value
    ordered = w[..., order]
    true = np.add.reduceat(ordered * is_true[order], starts, axis=-1)
    hits = np.cumsum(true, axis=-1)
    rows = np.cumsum(np.add.reduceat(ordered, starts, axis=-1), axis=-1)
    area: Numbers = np.sum(hits / np.where(rows > 0, rows, 1.0) * true, axis=-1)
    return np.asarray(area / hits[..., -1])


_OF_VALUES: dict[str, Callable[[Numbers, Numbers, Numbers], Numbers]] = {
    "r2": _r2,
    "mae": _mae,
    "rmse": _rmse,
}
_OF_CLASSES: dict[str, Callable[[Places, Numbers, Numbers], Numbers]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "roc_auc": _roc_auc,
    "pr_auc": _pr_auc,
    "brier": _brier,
}
