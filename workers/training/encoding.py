"""Encode rows with a fitted signature: the NumPy rendering of its encoders."""

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.models.formulas import PARTS, numeric, pieces
from core.models.raw_cells import Column, as_numbers, as_text
from core.models.signature import (
    MISSING,
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
    """The encoded table of raw rows: float32 `[N, signature.num_encoded]`."""
    blocks = [_numeric(features, rows)] if (features := _numbers(signature)) else []
    blocks += [_datetime(f, rows[f.name]) for f in signature.encoded_as("datetime")]
    blocks += [_one_hot(f, rows[f.name]) for f in signature.encoded_as("one_hot")]
    blocks += [_place(f, rows[f.name]) for f in signature.encoded_as("embedding")]
    encoded: Matrix = np.concatenate(blocks, axis=1)
    return encoded


def _numbers(signature: Signature) -> list[Feature]:
    return signature.encoded_as("numeric")


def numeric_encoders(features: list[Feature]) -> list[NumericEncoder]:
    """The encoders of features that are numbers."""
    return [f.encoder for f in features if isinstance(f.encoder, NumericEncoder)]


def numeric_constants(encoders: list[NumericEncoder]) -> dict[str, Any]:
    """Rows of constants for formulas.numeric, and `fill`, as far as columns need them."""
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
    """Rows of constants for formulas.pieces; None if no column has knots."""
    if not any(encoder.knots for encoder in encoders):
        return None
    rows = [
        row
        for place, encoder in enumerate(encoders)
        for row in [
            (place, 0.0, 1.0, -_UNBOUND, _UNBOUND),
            *((place, a, 1 / (b - a), 0.0, 1.0) for a, b in pairwise(encoder.knots)),
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
    def take(value: Column, places: NDArray[np.int64]) -> Column:
        return value[:, places]


def _numeric(features: list[Feature], rows: pl.DataFrame) -> Matrix:
    raw = np.stack([as_numbers(rows[f.name]) for f in features], axis=1)
    encoders = numeric_encoders(features)
    constants = numeric_constants(encoders)
    scaled = numeric(raw, constants, np)
    is_missing = np.isnan(scaled)
    filled = np.where(is_missing, constants["fill"], scaled)
    if (between := piece_constants(encoders)) is not None:
        filled = pieces(filled, (~is_missing).astype(np.float64), between, _NumpyOps)
    encoded: Matrix = filled.astype(np.float32)
    return encoded


def _datetime(feature: Feature, column: pl.Series) -> Matrix:
    encoder = feature.encoder
    assert isinstance(encoder, DatetimeEncoder)  # noqa: S101  by its list
    seconds = as_numbers(column)[:, None]
    parts = [(PARTS[p.name](seconds, np) - p.center) / p.scale for p in encoder.parts]
    filled: Matrix = np.nan_to_num(np.concatenate(parts, axis=1)).astype(np.float32)
    return filled


def _one_hot(feature: Feature, column: pl.Series) -> Matrix:
    encoder = feature.encoder
    assert isinstance(encoder, OneHotEncoder)  # noqa: S101  by its list
    first = 0 if encoder.others else 1
    places = _places(column, encoder.vocabulary)[:, None]
    hot: Matrix = (places == np.arange(first, len(encoder.vocabulary) + 1)).astype(
        np.float32
    )
    return hot


def _place(feature: Feature, column: pl.Series) -> Matrix:
    encoder = feature.encoder
    assert isinstance(encoder, EmbeddingEncoder)  # noqa: S101  by its list
    places: Matrix = _places(column, encoder.vocabulary).astype(np.float32)[:, None]
    return places


def _places(column: pl.Series, vocabulary: list[str]) -> NDArray[np.int64]:
    """1 and up for the categories known, 0 for others."""
    places: NDArray[np.int64] = (
        as_text(column)
        .fill_null(MISSING)
        .replace_strict(
            vocabulary,
            list(range(1, len(vocabulary) + 1)),
            default=0,
            return_dtype=pl.Int64,
        )
        .to_numpy()
    )
    return places
