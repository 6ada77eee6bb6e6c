"""The rows in the form that each kind of baseline takes: the run's own features."""

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
from workers.report.evidence import Rows

_MOST_ONE_HOT = 50
"""Categories of an embedded column that a linear model gets a place for."""
_MOST_CATEGORIES = 254
"""scikit-learn's bins, but one for what is missing, rare or unseen."""


@dataclass(frozen=True)
class Form:
    """Training and held-out rows as `[N, F]`, and which columns are categories."""

    x: Numbers
    x_held_out: Numbers
    is_category: NDArray[np.bool_]


def linear_form(train: Rows, held_out: Rows) -> Form:
    """The network's encoded table, standardised; embedded categories one-hot."""
    embedded = len(train.signature.encoded_by(EmbeddingEncoder))
    first = train.x.shape[1] - embedded
    sides: list[list[Numbers]] = [
        [rows.x[:, :first].astype(np.float64)] for rows in (train, held_out)
    ]
    for k in range(first, train.x.shape[1]):
        places, counts = np.unique(train.x[:, k], return_counts=True)
        frequent = places[np.argsort(-counts, kind="stable")][:_MOST_ONE_HOT]
        for side, rows in zip(sides, (train, held_out), strict=True):
            side.append((rows.x[:, k, None] == frequent).astype(np.float64))
    x, x_held_out = (np.concatenate(side, axis=1) for side in sides)
    scaler = StandardScaler().fit(x)
    is_category = np.zeros(x.shape[1], np.bool_)
    return Form(scaler.transform(x), scaler.transform(x_held_out), is_category)


def tree_form(train: Rows, held_out: Rows) -> Form:
    """Raw numbers, moments as seconds and as the network's parts, categories as codes."""
    columns = [_tree_columns(f, train, held_out) for f in train.signature.features]
    moments = _moments(train.signature)
    x, x_held_out = (
        np.concatenate(
            [*(pair[side] for pair in columns), rows.x[:, moments].astype(np.float64)],
            axis=1,
        )
        for side, rows in enumerate((train, held_out))
    )
    is_category = np.zeros(x.shape[1], np.bool_)
    is_category[: len(columns)] = [f.is_text for f in train.signature.features]
    return Form(x, x_held_out, is_category)


def _moments(signature: Signature) -> slice:
    numbers = len(signature.encoded_by(NumericEncoder))
    parts = sum(len(f.inputs) for f, _ in signature.encoded_by(DatetimeEncoder))
    return slice(numbers, numbers + parts)


def _tree_columns(feature: Feature, train: Rows, held_out: Rows) -> list[Numbers]:
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
