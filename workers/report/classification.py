"""What only a classification has: classes, confusion, calibration, thresholds."""

import numpy as np
from numpy.typing import NDArray

from core.models.scores import Numbers
from fitserve.schemas.report import (
    CalibrationBin,
    ClassFigures,
    ClassificationFigures,
    Threshold,
)
from workers.report.curves import class_curves
from workers.report.scores import MOST_CLASSES

_BINS = 10
_THRESHOLDS = [round(0.05 * k, 2) for k in range(1, 20)]

Places = NDArray[np.int64]


def classification_figures(
    y: Places, probabilities: Numbers, names: list[str]
) -> ClassificationFigures:
    """Figures of probabilities `[N, classes]` for rows of the classes at places `y`."""
    labels = probabilities.argmax(axis=1)
    is_binary = len(names) == 2
    bins = _calibration(y, probabilities, labels)
    thresholds = _thresholds(y == 1, probabilities[:, 1]) if is_binary else []
    known = [t for t in thresholds if t.f1 is not None]
    best = max(known, key=lambda t: t.f1 or 0.0, default=None)
    few = len(names) <= MOST_CLASSES
    return ClassificationFigures(
        positive_class=names[1] if is_binary else None,
        classes=[_of_class(y == k, labels == k, name) for k, name in enumerate(names)],
        confusion_matrix=_confusion(y, labels, len(names)) if few else None,
        calibration=bins,
        expected_calibration_error=_error(bins),
        thresholds=thresholds,
        best_threshold=best.threshold if best else None,
        curves=class_curves(y, probabilities, names),
    )


def _of_class(
    is_true: NDArray[np.bool_], is_answered: NDArray[np.bool_], name: str
) -> ClassFigures:
    precision, recall, f1 = _precision_recall(is_true, is_answered)
    return ClassFigures(
        label=name, precision=precision, recall=recall, f1=f1, num_rows=int(is_true.sum())
    )


def _precision_recall(
    is_true: NDArray[np.bool_], is_answered: NDArray[np.bool_]
) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1; null where they would be nothing over nothing."""
    hits = int((is_true & is_answered).sum())
    answered, true = int(is_answered.sum()), int(is_true.sum())
    return (
        hits / answered if answered else None,
        hits / true if true else None,
        2 * hits / (answered + true) if answered + true else None,
    )


def _confusion(y: Places, labels: Places, num_classes: int) -> list[list[int]]:
    cells = np.bincount(y * num_classes + labels, minlength=num_classes**2)
    matrix: list[list[int]] = cells.reshape(num_classes, num_classes).tolist()
    return matrix


def _calibration(
    y: Places, probabilities: Numbers, labels: Places
) -> list[CalibrationBin]:
    """Ten bins of equal width: of the positive class, or of whatever is answered."""
    if probabilities.shape[1] == 2:
        predicted, came_true = probabilities[:, 1], y == 1
    else:
        predicted, came_true = probabilities.max(axis=1), y == labels
    place = np.minimum((predicted * _BINS).astype(np.int64), _BINS - 1)
    return [
        CalibrationBin(
            mean_predicted=float(predicted[place == k].mean()),
            share_true=float(came_true[place == k].mean()),
            num_rows=int((place == k).sum()),
        )
        for k in range(_BINS)
        if (place == k).any()
    ]


def _error(bins: list[CalibrationBin]) -> float | None:
    """Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities", 2015."""
    rows = sum(b.num_rows for b in bins)
    if not rows:
        return None
    return sum(b.num_rows * abs(b.mean_predicted - b.share_true) for b in bins) / rows


def _thresholds(is_true: NDArray[np.bool_], probability: Numbers) -> list[Threshold]:
    return [_at(threshold, is_true, probability) for threshold in _THRESHOLDS]


def _at(threshold: float, is_true: NDArray[np.bool_], probability: Numbers) -> Threshold:
    answered = probability >= threshold
    precision, recall, f1 = _precision_recall(is_true, answered)
    negatives = int((~is_true).sum())
    return Threshold(
        threshold=threshold,
        precision=precision,
        recall=recall,
        f1=f1,
        false_positive_rate=int((answered & ~is_true).sum()) / negatives
        if negatives
        else None,
        num_positive=int(answered.sum()),
    )
