"""ROC and precision over recall, a class against the others, over all thresholds.

Fawcett, "An introduction to ROC analysis", 2006; Davis and Goadrich, "The relationship
between Precision-Recall and ROC curves", 2006.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from core.models.scores import Numbers
from fitserve.schemas.report import ClassCurves

_MOST_CLASSES = 10
_MOST_POINTS = 100
_DIGITS = 6


def class_curves(
    y: NDArray[np.int64], probabilities: Numbers, names: list[str]
) -> list[ClassCurves]:
    """Of the positive class or the most frequent ones; `probabilities` `[N, classes]`.

    A class that all of the rows have, or none, has no curve.
    """
    counts = np.bincount(y, minlength=len(names))
    places = [1] if len(names) == 2 else np.argsort(-counts, kind="stable")
    drawn = [k for k in places if 0 < counts[k] < len(y)][:_MOST_CLASSES]
    return [_of_class(y == k, probabilities[:, k], names[k]) for k in drawn]


def _of_class(is_true: NDArray[np.bool_], probability: Numbers, name: str) -> ClassCurves:
    false_positives, true_positives, _ = metrics.roc_curve(is_true, probability)
    precision, recall, _ = metrics.precision_recall_curve(is_true, probability)
    x, y = _thinned(false_positives, true_positives)
    recalls, precisions = _thinned(recall[::-1], precision[::-1])
    return ClassCurves(
        label=name,
        false_positive_rate=x,
        true_positive_rate=y,
        recall=recalls,
        precision=precisions,
    )


def _thinned(x: Numbers, y: Numbers) -> tuple[list[float], list[float]]:
    """Points about evenly far from each other along the curve, both ends among them."""
    lengths = np.abs(np.diff(x)) + np.abs(np.diff(y))
    way = np.concatenate([[0.0], np.cumsum(lengths)])
    wanted = np.linspace(0.0, way[-1], _MOST_POINTS)
    kept = np.unique(np.searchsorted(way, wanted).clip(0, len(x) - 1))
    kept = np.unique(np.concatenate([[0], kept, [len(x) - 1]]))
    return x[kept].round(_DIGITS).tolist(), y[kept].round(_DIGITS).tolist()
