"""Fit the signature's encoders on the training rows, and encode rows with them.

The NumPy rendering of the one definition in core/models/signature.py.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.models.signature import (
    MISSING,
    Encoder,
    Feature,
    NumericEncoder,
    OneHotEncoder,
    Signature,
)
from core.runs.features import MOST_CATEGORIES
from fitserve.statuses import ColumnType

Matrix = NDArray[np.float32]


def fit_feature(
    name: str, kind: ColumnType, column: pl.Series, *, standardize: bool
) -> Feature:
    """The encoder of a column, from its training rows alone."""
    encoder: Encoder
    if kind == ColumnType.CATEGORICAL:
        encoder = _fit_one_hot(as_text(column))
    else:
        encoder = _fit_numeric(as_numbers(column), standardize=standardize)
    return Feature(name=name, type=kind, encoder=encoder)


def _fit_numeric(values: NDArray[np.float64], *, standardize: bool) -> NumericEncoder:
    present = values[~np.isnan(values)]
    mean = float(present.mean()) if len(present) else 0.0
    if not standardize:
        return NumericEncoder(center=0.0, scale=1.0, fill=mean)
    deviation = float(present.std()) if len(present) else 0.0
    # a column that is constant here but not elsewhere keeps its unit
    scale = deviation if np.isfinite(deviation) and deviation > 0 else 1.0
    return NumericEncoder(center=mean, scale=scale, fill=0.0)


def _fit_one_hot(values: pl.Series) -> OneHotEncoder:
    counts = values.fill_null(MISSING).value_counts(name="n")
    kept = counts.sort(["n", values.name], descending=[True, False])
    return OneHotEncoder(vocabulary=sorted(kept[values.name].head(MOST_CATEGORIES)))


def as_numbers(column: pl.Series) -> NDArray[np.float64]:
    """Numbers and booleans as float64, missing ones as NaN."""
    return column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def as_text(column: pl.Series) -> pl.Series:
    """Categories as text; a whole number is written without a point."""
    if column.dtype.is_float() and (column.is_null() | (column % 1 == 0)).all():
        column = column.cast(pl.Int64)
    return column.cast(pl.String)


def encode(signature: Signature, rows: pl.DataFrame) -> Matrix:
    """The network's inputs for raw rows: float32 `[N, len(signature.inputs)]`."""
    blocks = [_encode_numeric(f, rows[f.name]) for f in signature.numeric]
    blocks += [_encode_one_hot(f, rows[f.name]) for f in signature.categorical]
    encoded: Matrix = np.concatenate(blocks, axis=1)
    return encoded


def _encode_numeric(feature: Feature, column: pl.Series) -> Matrix:
    encoder = feature.encoder
    assert isinstance(encoder, NumericEncoder)  # noqa: S101  by its list
    scaled = (as_numbers(column) - encoder.center) / encoder.scale
    filled = np.where(np.isnan(scaled), encoder.fill, scaled)
    column_of_one: Matrix = filled.astype(np.float32)[:, None]
    return column_of_one


def _encode_one_hot(feature: Feature, column: pl.Series) -> Matrix:
    encoder = feature.encoder
    assert isinstance(encoder, OneHotEncoder)  # noqa: S101  by its list
    values = as_text(column).fill_null(MISSING)
    places = values.replace_strict(
        encoder.vocabulary,
        list(range(len(encoder.vocabulary))),
        default=-1,
        return_dtype=pl.Int64,
    ).to_numpy()
    hot: Matrix = (places[:, None] == np.arange(len(encoder.vocabulary))).astype(
        np.float32
    )
    return hot
