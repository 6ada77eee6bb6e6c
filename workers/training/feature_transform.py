"""Encode rows with the encoders of a fitted signature, in NumPy."""

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.columns.base import Numbers as Column
from core.models.formulas import PARTS, numeric, pieces
from core.models.signature import (
    DatetimeEncoder,
    EmbeddingEncoder,
    Feature,
    NumericEncoder,
    OneHotEncoder,
    Signature,
)

Matrix = NDArray[np.float32]
_UNBOUND = float(np.finfo(np.float64).max)  # JSON has no infinity


def encode(signature: Signature, rows: pl.DataFrame) -> Matrix:
    """Return raw rows as an encoded table: float32 `[N, signature.num_encoded]`."""
    numbers = signature.encoded_by(NumericEncoder)
    blocks = [_numeric(numbers, rows)] if numbers else []
    blocks += [
        _datetime(encoder, feature.numbers(rows[feature.name]))
        for feature, encoder in signature.encoded_by(DatetimeEncoder)
    ]
    blocks += [
        _one_hot(encoder, feature.texts(rows[feature.name]))
        for feature, encoder in signature.encoded_by(OneHotEncoder)
    ]
    blocks += [
        _embedding_index(encoder, feature.texts(rows[feature.name]))
        for feature, encoder in signature.encoded_by(EmbeddingEncoder)
    ]
    encoded: Matrix = np.concatenate(blocks, axis=1)
    return encoded


def numeric_constants(encoders: list[NumericEncoder]) -> dict[str, Any]:
    """Return the constants of formulas.numeric, and `fill`, by name.

    `log` and `sharpness` are left out if no column needs them.
    """
    rows = {
        "center": [e.center for e in encoders],
        "scale": [e.scale for e in encoders],
        "log": [float(e.log) for e in encoders],
        "sharpness": [1 / e.clip if e.clip else 0.0 for e in encoders],
        "fill": [e.fill for e in encoders],
    }
    idle = [name for name in ("log", "sharpness") if not any(rows[name])]
    return {name: np.array(row) for name, row in rows.items() if name not in idle}


def piece_constants(encoders: list[NumericEncoder]) -> dict[str, Any] | None:
    """Return the constants of formulas.pieces by name; None if no column has knots."""
    if not any(encoder.knots for encoder in encoders):
        return None
    rows = [
        row
        for index, encoder in enumerate(encoders)
        for row in [
            (index, 0.0, 1.0, -_UNBOUND, _UNBOUND),
            *((index, a, 1 / (b - a), 0.0, 1.0) for a, b in pairwise(encoder.knots)),
        ]
    ]
    names = ("place", "begin", "slope", "low", "high")
    found = {
        n: np.array(column)
        for n, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    return found | {"place": found["place"].astype(np.int64)}


class _NumpyOps:
    """The functions of formulas.pieces in NumPy."""

    clip = staticmethod(np.clip)

    @staticmethod
    def take(value: Column, indices: NDArray[np.int64]) -> Column:
        return value[:, indices]


def _numeric(
    features: list[tuple[Feature, NumericEncoder]], rows: pl.DataFrame
) -> Matrix:
    raw = np.stack([f.numbers(rows[f.name]) for f, _ in features], axis=1)
    encoders = [encoder for _, encoder in features]
    constants = numeric_constants(encoders)
    scaled = numeric(raw, constants, np)
    is_missing = np.isnan(scaled)
    filled = np.where(is_missing, constants["fill"], scaled)
    if (between := piece_constants(encoders)) is not None:
        filled = pieces(filled, (~is_missing).astype(np.float64), between, _NumpyOps)
    encoded: Matrix = filled.astype(np.float32)
    return encoded


def _datetime(encoder: DatetimeEncoder, moments: Column) -> Matrix:
    seconds = moments[:, None]
    parts = [(PARTS[p.name](seconds, np) - p.center) / p.scale for p in encoder.parts]
    filled: Matrix = np.nan_to_num(np.concatenate(parts, axis=1)).astype(np.float32)
    return filled


def _one_hot(encoder: OneHotEncoder, texts: pl.Series) -> Matrix:
    first = 0 if encoder.others else 1
    indices = _category_indices(texts, encoder.vocabulary)[:, None]
    hot: Matrix = (indices == np.arange(first, len(encoder.vocabulary) + 1)).astype(
        np.float32
    )
    return hot


def _embedding_index(encoder: EmbeddingEncoder, texts: pl.Series) -> Matrix:
    indices = _category_indices(texts, encoder.vocabulary)
    return indices.astype(np.float32)[:, None]


def _category_indices(texts: pl.Series, vocabulary: list[str]) -> NDArray[np.int64]:
    """Return the index of each text: from 1 for known categories, 0 for others."""
    indices = list(range(1, len(vocabulary) + 1))
    found = texts.replace_strict(vocabulary, indices, default=0, return_dtype=pl.Int64)
    numbers: NDArray[np.int64] = found.to_numpy()
    return numbers
