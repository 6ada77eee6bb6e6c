"""Encode the target column and the sample weights for Keras."""

import numpy as np
import polars as pl

from core.models.scores import Numbers
from core.runs.planning.target import Label, class_indices, class_name
from workers.training.feature_transform import Matrix


def encode_target(column: pl.Series, classes: list[Label], offset: float = 0.0) -> Matrix:
    """Return targets as float32 `[N, 1]`: value minus offset, or index of the class."""
    encoded: Matrix = target_values(column, classes, offset).astype(np.float32)
    return encoded[:, None]


def target_values(column: pl.Series, classes: list[Label], offset: float) -> Numbers:
    """Return targets as float64 `[N]`: value minus offset, or index of the class."""
    cells = class_indices(column, classes) if classes else column
    values: Numbers = cells.cast(pl.Float64).to_numpy()
    return values if classes else values - offset


def one_hot(indices: Matrix, num_classes: int) -> Matrix:
    """Return class indices `[N, 1]` as one-hot rows `[N, num_classes]`."""
    hot: Matrix = (indices == np.arange(num_classes)).astype(np.float32)
    return hot


def row_weights(
    indices: Matrix, classes: list[Label], given: str | dict[str, float] | None
) -> Matrix | None:
    """Return the weight of each row, float32 `[N]`, from Keras's `class_weight`."""
    if given is None:
        return None
    by_name = given if isinstance(given, dict) else balanced_weights(indices, classes)
    by_class = np.array([by_name.get(class_name(label), 1.0) for label in classes])
    weights: Matrix = by_class[indices[:, 0].astype(np.int64)].astype(np.float32)
    return weights


def sample_weights(column: pl.Series) -> Matrix:
    """Return the weights in a column, float32 `[N]`."""
    weights: Matrix = column.cast(pl.Float32).to_numpy()
    return weights


def product(first: Matrix | None, second: Matrix | None) -> Matrix | None:
    """Return the product of two weights of each row; None stands for weights of 1."""
    if first is None or second is None:
        return second if first is None else first
    both: Matrix = first * second
    return both


def balanced_weights(indices: Matrix, classes: list[Label]) -> dict[str, float]:
    """Return the weight of each class: rows / (classes * rows of the class).

    This is scikit-learn's formula, after King and Zeng, "Logistic Regression in Rare
    Events Data", 2001.
    """
    counts = np.bincount(indices[:, 0].astype(np.int64), minlength=len(classes))
    weights = len(indices) / (len(classes) * np.maximum(counts, 1))
    return {class_name(k): float(w) for k, w in zip(classes, weights, strict=True)}
