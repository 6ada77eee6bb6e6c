"""The target column as what Keras learns from."""

import numpy as np
import polars as pl

from core.runs.planning.target import Label, class_indices, class_name
from workers.training.feature_transform import Matrix


def encode_target(column: pl.Series, classes: list[Label]) -> Matrix:
    """Targets as float32 `[N, 1]`: the value, or the place of its class."""
    if not classes:
        values: Matrix = column.cast(pl.Float32).to_numpy()
        return values[:, None]
    codes: Matrix = class_indices(column, classes).to_numpy().astype(np.float32)
    column_of_one: Matrix = codes[:, None]
    return column_of_one


def one_hot(places: Matrix, num_classes: int) -> Matrix:
    """`[N, 1]` places of classes as `[N, num_classes]`."""
    hot: Matrix = (places == np.arange(num_classes)).astype(np.float32)
    return hot


def row_weights(
    places: Matrix, classes: list[Label], given: str | dict[str, float] | None
) -> Matrix | None:
    """The weight of each row, float32 `[N]`, from Keras's `class_weight`."""
    if given is None:
        return None
    by_name = given if isinstance(given, dict) else balanced_weights(places, classes)
    by_class = np.array([by_name.get(class_name(label), 1.0) for label in classes])
    weights: Matrix = by_class[places[:, 0].astype(np.int64)].astype(np.float32)
    return weights


def balanced_weights(places: Matrix, classes: list[Label]) -> dict[str, float]:
    """Weighs a class by rows / (classes * rows of the class): scikit-learn's formula.

    After King and Zeng, "Logistic Regression in Rare Events Data", 2001.
    """
    counts = np.bincount(places[:, 0].astype(np.int64), minlength=len(classes))
    weights = len(places) / (len(classes) * np.maximum(counts, 1))
    return {class_name(k): float(w) for k, w in zip(classes, weights, strict=True)}
