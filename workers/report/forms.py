"""Encode the features of a run in the form that each kind of baseline needs."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from core.models.scores import Numbers
from core.models.signature import (
    DatetimeEncoder,
    EmbeddingEncoder,
    Feature,
    NumericEncoder,
    Signature,
)
from workers.report.evidence import SplitRows

_MOST_ONE_HOT = 50
"""The most inputs that a linear model gets for the categories of an embedded column."""
_MOST_CATEGORIES = 254
"""scikit-learn's bins, minus one for missing, rare and unseen categories."""


@dataclass(frozen=True)
class Form:
    """Training and held-out rows as `[N, F]`, and a mask of the category columns."""

    x: Numbers
    x_held_out: Numbers
    is_category: NDArray[np.bool_]


def linear_form(train: SplitRows, held_out: SplitRows) -> Form:
    """Return the network's inputs, standardised. Embedded categories become one-hot."""
    first = train.x.shape[1] - len(train.signature.encoded_by(EmbeddingEncoder))
    frequent = [_most_frequent(column) for column in train.x.T[first:]]
    x, x_held_out = (
        np.concatenate(
            [
                rows.x[:, :first],
                *(rows.x[:, first + k, None] == f for k, f in enumerate(frequent)),
            ],
            axis=1,
            dtype=np.float64,
        )
        for rows in (train, held_out)
    )
    scaler = StandardScaler().fit(x)
    is_category = np.zeros(x.shape[1], np.bool_)
    return Form(scaler.transform(x), scaler.transform(x_held_out), is_category)


def _most_frequent(column: NDArray[np.float32]) -> NDArray[np.float32]:
    values, counts = np.unique(column, return_counts=True)
    return values[np.argsort(-counts, kind="stable")][:_MOST_ONE_HOT]


def tree_form(train: SplitRows, held_out: SplitRows) -> Form:
    """Return raw numbers, moments as seconds and parts, and categories as codes."""
    features = train.signature.features
    columns = [_tree_columns(f, train, held_out) for f in features]
    moments = _moments(train.signature)
    x, x_held_out = (
        np.concatenate([*parts, rows.x[:, moments]], axis=1, dtype=np.float64)
        for parts, rows in zip(zip(*columns, strict=True), (train, held_out), strict=True)
    )
    is_category = np.zeros(x.shape[1], np.bool_)
    is_category[: len(columns)] = [f.is_text for f in features]
    return Form(x, x_held_out, is_category)


def _moments(signature: Signature) -> slice:
    numbers = len(signature.encoded_by(NumericEncoder))
    parts = sum(len(f.inputs) for f, _ in signature.encoded_by(DatetimeEncoder))
    return slice(numbers, numbers + parts)


def _tree_columns(
    feature: Feature, train: SplitRows, held_out: SplitRows
) -> list[Numbers]:
    cells = [rows.frame[feature.name] for rows in (train, held_out)]
    if not feature.is_text:
        return [feature.numbers(column)[:, None] for column in cells]
    texts = [feature.texts(column) for column in cells]
    known = texts[0].value_counts(sort=True)[feature.name].head(_MOST_CATEGORIES)
    codes = {value: float(code) for code, value in enumerate(known.to_list())}
    return [_coded(column, codes) for column in texts]


def _coded(texts: pl.Series, codes: dict[str, float]) -> Numbers:
    coded = texts.replace_strict(codes, default=None, return_dtype=pl.Float64)
    column: Numbers = coded.fill_null(np.nan).to_numpy()[:, None]
    return column
