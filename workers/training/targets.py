"""The target column as what Keras learns from."""

import numpy as np
import polars as pl

from core.runs.targets import Label
from workers.training.encoding import Matrix


def encode_target(column: pl.Series, classes: list[Label]) -> Matrix:
    """Targets as float32 `[N, 1]`: the value, or the place of its class."""
    if not classes:
        values: Matrix = column.cast(pl.Float32).to_numpy()
        return values[:, None]
    places = column.replace_strict(
        classes, list(range(len(classes))), return_dtype=pl.Int64
    )
    codes: Matrix = places.to_numpy().astype(np.float32)
    column_of_one: Matrix = codes[:, None]
    return column_of_one


def one_hot(places: Matrix, num_classes: int) -> Matrix:
    """`[N, 1]` places of classes as `[N, num_classes]`."""
    hot: Matrix = (places == np.arange(num_classes)).astype(np.float32)
    return hot


def row_weights(
    places: Matrix, classes: list[Label], given: str | dict[str, float] | None
) -> Matrix | None:
    """The weight of each row, float32 `[N]`, from Keras's `class_weight`.

    "balanced" weighs a class by rows / (classes * rows of the class): scikit-learn's
    formula, after King and Zeng, "Logistic Regression in Rare Events Data", 2001.
    """
    if given is None:
        return None
    codes = places[:, 0].astype(np.int64)
    if isinstance(given, dict):
        by_class = np.array([given.get(str(label), 1.0) for label in classes])
    else:
        counts = np.bincount(codes, minlength=len(classes))
        by_class = len(codes) / (len(classes) * np.maximum(counts, 1))
    weights: Matrix = by_class[codes].astype(np.float32)
    return weights
