"""Fit the encoders of a signature on the training rows only."""

import numpy as np
import polars as pl

from core.columns import kind_of
from core.columns.base import Numbers as Column
from core.columns.categorical import (
    FEW_CATEGORIES,
    MOST_CATEGORIES,
    MOST_PLACES,
    embedding_dim,
)
from core.columns.numeric import num_pieces
from core.models.formulas import DAY, PARTS, numeric
from core.models.signature import (
    MISSING,
    DatetimeEncoder,
    DatetimePart,
    EmbeddingEncoder,
    Encoder,
    Feature,
    NumericEncoder,
    OneHotEncoder,
)
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from workers.training.feature_transform import numeric_constants

_FAR = 10.0
"""Values more than this many interquartile ranges from the median are far out."""
_TAIL = 0.005
"""If a larger share is far out, the column is skewed; a smaller share may be errors."""
_CLIP = 3.0
_LEAST_SPREAD = 1e-9
_MANY_ROWS = 10_000


def fit_feature(
    name: str,
    kind: ColumnType,
    form: ColumnFormat,
    column: pl.Series,
    *,
    standardize: bool,
    num_bins: int | None = None,
) -> Feature:
    """Return the feature of a column, fitted on its training rows."""
    return Feature(
        name=name,
        type=kind,
        format=form,
        has_missing=column.null_count() > 0,
        encoder=_fit(kind, column, standardize=standardize, num_bins=num_bins),
    )


def _fit(
    kind: ColumnType, column: pl.Series, *, standardize: bool, num_bins: int | None
) -> Encoder:
    raw = kind_of(kind).raw(column)
    match kind_of(kind).encoding:
        case "categories":
            return _fit_categories(raw)
        case "datetime":
            return _fit_datetime(raw)
    return fit_numeric(raw, standardize=standardize, num_bins=num_bins)


def fit_numeric(
    values: Column, *, standardize: bool = True, num_bins: int | None = None
) -> NumericEncoder:
    """Fit an encoder that standardises by mean and deviation, or by quartiles.

    Quartiles are used if some values are far out; those values are then clipped smoothly.
    A column with a long tail is first replaced by its logarithm. With `num_bins`, at most
    `num_bins` pieces between quantiles are added.
    """
    present = values[~np.isnan(values)]
    if not len(present):
        return NumericEncoder(center=0.0, scale=1.0, fill=0.0)
    span = {"least": float(present.min()), "greatest": float(present.max())}
    if not standardize:
        mean = float(present.mean())
        return NumericEncoder(center=0.0, scale=1.0, fill=mean, **span)
    with np.errstate(over="ignore"):  # _usable replaces an infinite scale
        encoder = _standardized(present).model_copy(update=span)
        knots = _knots(present, encoder, num_bins) if num_bins else []
        return encoder.model_copy(update={"knots": knots})


def _knots(present: Column, encoder: NumericEncoder, num_bins: int) -> list[float]:
    """Return the distinct quantiles on the encoder's scale."""
    if not num_pieces(len(np.unique(present)), num_bins):
        return []
    quantiles = np.quantile(present, np.linspace(0, 1, num_bins + 1))
    constants = numeric_constants([encoder])
    scaled = np.unique(numeric(quantiles[:, None], constants, np)[:, 0])
    # a piece between two nearly equal knots would be a step
    is_apart = np.diff(scaled, prepend=-np.inf) > _LEAST_SPREAD
    knots: list[float] = scaled[is_apart & np.isfinite(scaled)].tolist()
    return knots if len(knots) > 1 else []


def _standardized(present: Column) -> NumericEncoder:
    if share_far_out(present) > _TAIL and _log_helps(present):
        return linear_scale(_logarithm(present)).model_copy(update={"log": True})
    return linear_scale(present)


def linear_scale(values: Column) -> NumericEncoder:
    """Return the encoder for values without NaN, by quartiles if some are far out."""
    if not share_far_out(values):
        center, scale = float(values.mean()), _usable(float(values.std()))
        return NumericEncoder(center=center, scale=scale, fill=0.0)
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    # the deviation of a normal distribution with these quartiles, unless both are equal
    scale = _usable(float(high - low) / 1.349) if high > low else _inner_spread(values)
    return NumericEncoder(center=float(middle), scale=scale, clip=_CLIP, fill=0.0)


def share_far_out(values: Column) -> float:
    """Return the share of the values that are far out."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    spread = high - low if high > low else _inner_spread(values)
    return float(np.mean(np.abs(values - middle) > _FAR * spread))


def _inner_spread(values: Column) -> float:
    """Return the spread of mostly equal values: the median distance to the main value."""
    others = np.abs(values - np.median(values))
    others = others[others > 0]
    return _usable(float(np.median(others))) if len(others) else 1.0


def _usable(scale: float) -> float:
    # a column that is constant in the training rows is not scaled
    return scale if np.isfinite(scale) and scale > 0 else 1.0


def _logarithm(values: Column) -> Column:
    logarithm: Column = np.sign(values) * np.log(1 + np.abs(values))
    return logarithm


def _log_helps(values: Column) -> bool:
    return bool(values.min() >= 0) and share_far_out(_logarithm(values)) < _TAIL


def _fit_categories(values: pl.Series) -> Encoder:
    values = values.fill_null(MISSING)
    counts = values.value_counts(name="n").sort(
        ["n", values.name], descending=[True, False]
    )
    rare = _rare_below(len(values), counts.height)
    kept = counts.filter(pl.col("n") >= rare)[values.name].head(MOST_PLACES).to_list()
    kept = kept or counts[values.name].head(1).to_list()
    if len(kept) > MOST_CATEGORIES:
        return EmbeddingEncoder(vocabulary=sorted(kept), dim=embedding_dim(len(kept)))
    return OneHotEncoder(vocabulary=sorted(kept), others=len(kept) < counts.height)


def _rare_below(num_rows: int, num_categories: int) -> int:
    """Return the number of rows below which a category is rare."""
    if num_categories <= FEW_CATEGORIES:
        return 1
    return 2 if num_rows < _MANY_ROWS else 5


def _fit_datetime(seconds: Column) -> DatetimeEncoder:
    present = seconds[~np.isnan(seconds)][:, None]
    parts = []
    for name, part in PARTS.items():
        values = part(present, np)
        if not len(values) or np.ptp(values) < _LEAST_SPREAD:
            continue
        on_circle = name.endswith(("_sin", "_cos"))
        center = 0.0 if on_circle else float(values.mean())
        scale = 1.0 if on_circle else _usable(float(values.std()))
        parts.append(DatetimePart(name=name, center=center, scale=scale))
    if not len(present):
        return DatetimeEncoder(parts=[_one_moment(present)])
    least, greatest = float(present.min()), float(present.max())
    return DatetimeEncoder(
        parts=parts or [_one_moment(present)], least=least, greatest=greatest
    )


def _one_moment(seconds: Column) -> DatetimePart:
    """Return the part for a column with at most one moment in the training rows."""
    center = float(seconds.mean()) / DAY if len(seconds) else 0.0
    return DatetimePart(name="elapsed", center=center, scale=1.0)
