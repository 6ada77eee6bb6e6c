"""Cells of a table as the raw inputs of a network: one rule for training and scoring."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Column = NDArray[np.float64]


def as_numbers(column: pl.Series) -> Column:
    """Numbers, booleans and moments (seconds since 1970) as float64; NaN is missing."""
    if column.dtype.is_temporal():
        column = column.dt.epoch("us").cast(pl.Float64) / 1e6
    return column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def as_text(column: pl.Series) -> pl.Series:
    """Categories as text; a whole number is written without a point."""
    if column.dtype.is_float() and (column.is_null() | (column % 1 == 0)).all():
        column = column.cast(pl.Int64)
    if column.dtype.is_temporal():
        column = column.dt.to_string("iso:strict")
    return column.cast(pl.String)
