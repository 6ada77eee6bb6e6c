"""Compute the figures of a classification: classes, calibration, thresholds, curves."""

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from core.models.scores import Numbers, Places
from fitserve.schemas.report import (
    CalibrationBin,
    ClassCurves,
    ClassFigures,
    ClassificationFigures,
    Threshold,
)
from workers.report.scores import MOST_CLASSES

_BINS = 10
_THRESHOLDS = [round(0.05 * k, 2) for k in range(1, 20)]
_MOST_CURVES = 10
_MOST_POINTS = 100
_DIGITS = 6

Mask = NDArray[np.bool_]


def classification_figures(
    y: Places, probabilities: Numbers, names: list[str], weights: Numbers | None = None
) -> ClassificationFigures:
    """Return the figures of probabilities `[N, classes]` for class indices `y` `[N]`.

    `weights` weigh the rates, the calibration and the curves; numbers of rows and the
    confusion matrix count rows.
    """
    labels = probabilities.argmax(axis=1)
    is_binary = len(names) == 2
    w = np.ones(len(y)) if weights is None else weights
    bins, error = _calibration(y, probabilities, labels, w)
    thresholds = (
        [_threshold(t, y == 1, probabilities[:, 1], w) for t in _THRESHOLDS]
        if is_binary
        else []
    )
    scored = [t for t in thresholds if t.f1 is not None]
    best = max(scored, key=lambda t: t.f1 or 0.0, default=None)
    few = len(names) <= MOST_CLASSES
    return ClassificationFigures(
        positive_class=names[1] if is_binary else None,
        classes=[
            ClassFigures(
                label=name,
                num_rows=int((y == k).sum()),
                **_rates(y == k, labels == k, w),
            )
            for k, name in enumerate(names)
        ],
        confusion_matrix=_confusion(y, labels, len(names)) if few else None,
        calibration=bins,
        expected_calibration_error=error,
        thresholds=thresholds,
        best_threshold=best.threshold if best else None,
        curves=_curves(y, probabilities, names, w),
    )


def _rates(is_true: Mask, is_predicted: Mask, w: Numbers) -> dict[str, float | None]:
    """Return precision, recall and F1; None where the denominator is zero."""
    hits = float(w[is_true & is_predicted].sum())
    predicted, true = float(w[is_predicted].sum()), float(w[is_true].sum())
    return {
        "precision": hits / predicted if predicted else None,
        "recall": hits / true if true else None,
        "f1": 2 * hits / (predicted + true) if predicted + true else None,
    }


def _confusion(y: Places, labels: Places, num_classes: int) -> list[list[int]]:
    cells = np.bincount(y * num_classes + labels, minlength=num_classes**2)
    matrix: list[list[int]] = cells.reshape(num_classes, num_classes).tolist()
    return matrix


def _calibration(
    y: Places, probabilities: Numbers, labels: Places, w: Numbers
) -> tuple[list[CalibrationBin], float | None]:
    """Return ten equal bins of the probability, and the expected calibration error.

    The probability is that of the positive or of the predicted class. The error follows
    Naeini et al., "Obtaining Well Calibrated Probabilities", 2015.
    """
    if probabilities.shape[1] == 2:
        predicted, came_true = probabilities[:, 1], y == 1
    else:
        predicted, came_true = probabilities.max(axis=1), y == labels
    bin_of_row = np.minimum((predicted * _BINS).astype(np.int64), _BINS - 1)
    parts = [is_in for is_in in (bin_of_row == k for k in range(_BINS)) if is_in.any()]
    bins = [
        CalibrationBin(
            mean_predicted=float(np.average(predicted[is_in], weights=w[is_in])),
            share_true=float(np.average(came_true[is_in], weights=w[is_in])),
            num_rows=int(is_in.sum()),
        )
        for is_in in parts
    ]
    return bins, _calibration_error(bins, [float(w[is_in].sum()) for is_in in parts])


def _calibration_error(bins: list[CalibrationBin], sizes: list[float]) -> float | None:
    """Return the mean distance of prediction and truth in bins of these sizes."""
    if not bins:
        return None
    distances = [abs(b.mean_predicted - b.share_true) for b in bins]
    return float(np.average(distances, weights=sizes))


def _threshold(
    threshold: float, is_true: Mask, probability: Numbers, w: Numbers
) -> Threshold:
    is_predicted = probability >= threshold
    negatives = float(w[~is_true].sum())
    false_positives = float(w[is_predicted & ~is_true].sum())
    return Threshold(
        threshold=threshold,
        false_positive_rate=false_positives / negatives if negatives else None,
        num_positive=int(is_predicted.sum()),
        **_rates(is_true, is_predicted, w),
    )


def _curves(
    y: Places, probabilities: Numbers, names: list[str], w: Numbers
) -> list[ClassCurves]:
    """Return the curves of the positive class, or of the most frequent classes.

    Classes of all rows or of no row are left out. The curves follow Fawcett, "An
    introduction to ROC analysis", 2006, and Davis and Goadrich, "The relationship between
    Precision-Recall and ROC curves", 2006.
    """
    counts = np.bincount(y, minlength=len(names))
    classes = [1] if len(names) == 2 else np.argsort(-counts, kind="stable")
    drawn = [k for k in classes if 0 < counts[k] < len(y)][:_MOST_CURVES]
    return [_class_curves(y == k, probabilities[:, k], names[k], w) for k in drawn]


def _class_curves(
    is_true: Mask, probability: Numbers, name: str, w: Numbers
) -> ClassCurves:
    rows = (is_true, probability)
    false_positives, true_positives, _ = metrics.roc_curve(*rows, sample_weight=w)
    precision, recall, _ = metrics.precision_recall_curve(*rows, sample_weight=w)
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
    """Return points at about equal distances along the curve, and both end points."""
    lengths = np.abs(np.diff(x)) + np.abs(np.diff(y))
    distance = np.concatenate([[0.0], np.cumsum(lengths)])
    targets = np.linspace(0.0, distance[-1], _MOST_POINTS)
    kept = np.searchsorted(distance, targets).clip(0, len(x) - 1)
    kept = np.unique(np.concatenate([[0], kept, [len(x) - 1]]))
    return x[kept].round(_DIGITS).tolist(), y[kept].round(_DIGITS).tolist()
