"""Choose a training row as the example in a version's description."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.models.example import categories, likely_cell
from core.models.signature import Feature, Signature
from fitserve.schemas.predict import Cell

_MAX_ROWS = 10_000


def with_examples(signature: Signature, rows: pl.DataFrame) -> Signature:
    """Return the signature with a row of examples: the row with the fewest missing cells.

    A rare category counts as missing, because the service warns about rare categories.
    """
    features = signature.features
    columns = [_head(feature, rows[feature.name]) for feature in features]
    num_missing = np.zeros(min(rows.height, _MAX_ROWS), np.int64)
    for feature, column in zip(features, columns, strict=True):
        num_missing += _is_missing(column, categories(feature, signature))
    best = int(num_missing.argmin())
    shown = [
        feature.model_copy(update={"example": _cell(feature, column[best], signature)})
        for feature, column in zip(features, columns, strict=True)
    ]
    return signature.model_copy(update={"features": shown})


def _head(feature: Feature, column: pl.Series) -> pl.Series:
    first = column.head(_MAX_ROWS)
    if feature.is_text:
        texts: pl.Series = feature.kind.raw(first)  # null where missing
        return texts
    return pl.Series(feature.numbers(first), nan_to_null=True)


def _is_missing(column: pl.Series, known: list[str]) -> NDArray[np.bool_]:
    if column.dtype == pl.String:
        return ~column.is_in(known).fill_null(value=False).to_numpy()
    return column.is_null().to_numpy()


def _cell(feature: Feature, value: str | float | None, signature: Signature) -> Cell:
    if isinstance(value, float):
        return feature.kind.example(value, feature.format)
    if value is None or value in categories(feature, signature):
        return value
    return likely_cell(feature, signature)  # the category of the chosen row is rare
