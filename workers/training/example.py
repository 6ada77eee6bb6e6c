"""The row that stands for a version in its description: one that it was trained on."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.models.example import categories, likely_cell
from core.models.signature import Feature, Signature
from fitserve.schemas.predict import Cell

_MOST_LOOKED_AT = 10_000


def with_examples(signature: Signature, rows: pl.DataFrame) -> Signature:
    """The signature with the cells of the first row that lacks the least.

    A category without a place of its own counts as lacking: the service would warn of it.
    """
    features = signature.features
    columns = [_head(feature, rows[feature.name]) for feature in features]
    lacking = np.zeros(min(rows.height, _MOST_LOOKED_AT), np.int64)
    for feature, column in zip(features, columns, strict=True):
        lacking += _lacks(column, categories(feature, signature))
    best = int(lacking.argmin())
    shown = [
        feature.model_copy(update={"example": _cell(feature, column[best], signature)})
        for feature, column in zip(features, columns, strict=True)
    ]
    return signature.model_copy(update={"features": shown})


def _head(feature: Feature, column: pl.Series) -> pl.Series:
    first = column.head(_MOST_LOOKED_AT)
    if feature.is_text:
        texts: pl.Series = feature.kind.raw(first)  # null where missing
        return texts
    return pl.Series(feature.numbers(first), nan_to_null=True)


def _lacks(column: pl.Series, known: list[str]) -> NDArray[np.bool_]:
    if column.dtype == pl.String:
        return ~column.is_in(known).fill_null(value=False).to_numpy()
    return column.is_null().to_numpy()


def _cell(feature: Feature, value: str | float | None, signature: Signature) -> Cell:
    if isinstance(value, float):
        return feature.kind.example(value, feature.format)
    if value is None or value in categories(feature, signature):
        return value
    return likely_cell(feature, signature)  # in every row some column is rare
