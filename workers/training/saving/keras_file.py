"""Write `model.keras`, which maps raw columns to predictions in plain Keras.

The model takes a dict of tensors by column name: float64 `[N, 1]` for numbers, booleans
and moments (seconds since 1970, UTC; NaN is missing), string `[N, 1]` for categories (""
is missing). The output is float32, or float64 if the signature has an offset.
"""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from core.models.formulas import PARTS, numeric, pieces
from core.models.signature import (
    DatetimeEncoder,
    EmbeddingEncoder,
    Feature,
    NumericEncoder,
    OneHotEncoder,
    Signature,
)
from workers.training.feature_transform import numeric_constants, piece_constants
from workers.training.network import Network

_UNSAFE = set("/\\") | {chr(i) for i in range(32)}


def save_keras(network: Network, signature: Signature, path: Path) -> None:
    """Write the encoders and the trained network as one Keras model."""
    with warnings.catch_warnings():
        # not every column name can be a layer name; the keys of the dict still work
        warnings.filterwarnings("ignore", message=".*keys in the dict must match.*")
        with_raw_columns(network, signature).save(path)


def with_raw_columns(network: Network, signature: Signature) -> keras.Model:
    """Return the functional model from raw columns to the output of the network."""
    raw = {f.name: _input(i, f) for i, f in enumerate(signature.features)}
    numbers = signature.encoded_by(NumericEncoder)
    blocks = [_numeric(numbers, raw)] if numbers else []
    blocks += [
        _datetime(encoder, raw[feature.name])
        for feature, encoder in signature.encoded_by(DatetimeEncoder)
    ]
    blocks += [
        _one_hot(i, encoder, raw[feature.name])
        for i, (feature, encoder) in enumerate(signature.encoded_by(OneHotEncoder))
    ]
    embedded = signature.encoded_by(EmbeddingEncoder)
    blocks += [
        embed(_lookup(f"encode_place_{i}", encoder, raw[feature.name], "int"))[:, 0]
        for i, ((feature, encoder), embed) in enumerate(
            zip(embedded, network.embeddings, strict=True)
        )
    ]
    encoded = blocks[0] if len(blocks) == 1 else layers.Concatenate()(blocks)
    output = network.body(encoded)
    if signature.offset:
        output = ops.cast(output, "float64") + signature.offset
    return keras.Model(raw, output, name="model")


def _input(index: int, feature: Feature) -> Any:
    kind = "string" if feature.is_text else "float64"
    return keras.Input((1,), dtype=kind, name=_layer_name(index, feature.name))


def _layer_name(index: int, column: str) -> str:
    """Return the column's name if Keras can use it, else a generated name.

    Keras turns layer names into file paths, so a column must not choose a path.
    """
    odd = column.startswith(".") or len(column) > 100 or _UNSAFE & set(column)
    return f"column_{index}" if odd or column.startswith(_OURS) else column


_OURS = ("column_", "encode_", "embed_", "network", "concatenate")


def _numeric(features: list[tuple[Feature, NumericEncoder]], raw: dict[str, Any]) -> Any:
    columns = [raw[feature.name] for feature, _ in features]
    value = layers.Concatenate(dtype="float64", name="encode_join")(columns)
    encoders = [encoder for _, encoder in features]
    constants = numeric_constants(encoders)
    fill = constants.pop("fill")
    scaled = numeric(value, constants, _Ops)
    between = piece_constants(encoders)
    if between is None:
        return _filled(scaled, fill)
    known = 1.0 - ops.cast(ops.isnan(scaled), "float64")
    filled = ops.where(ops.isnan(scaled), 0.0, scaled)
    return ops.cast(pieces(filled, known, between, _Ops), "float32")


def _filled(value: Any, fill: NDArray[np.float64]) -> Any:
    known = ops.where(ops.isnan(value), 0.0, value)
    if fill.any():
        missing = ops.cast(ops.isnan(value), "float64")
        known = known + missing * fill
    return ops.cast(known, "float32")


class _Ops:
    """The functions of core/models/formulas.py in Keras."""

    floor, sin, sqrt = ops.floor, ops.sin, ops.sqrt
    log, abs, sign = ops.log, ops.abs, ops.sign

    @staticmethod
    def take(value: Any, indices: NDArray[np.int64]) -> Any:
        return ops.take(value, indices.tolist(), axis=1)

    @staticmethod
    def clip(value: Any, low: NDArray[np.float64], high: NDArray[np.float64]) -> Any:
        return ops.minimum(ops.maximum(value, low), high)


def _datetime(encoder: DatetimeEncoder, seconds: Any) -> Any:
    parts = [
        (PARTS[part.name](seconds, _Ops) - part.center) / part.scale
        for part in encoder.parts
    ]
    joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)
    return _filled(joined, np.zeros(len(parts)))


def _one_hot(index: int, encoder: OneHotEncoder, texts: Any) -> Any:
    indices = _lookup(f"encode_lookup_{index}", encoder, texts, "one_hot")
    # index 0 is for unknown categories
    return indices if encoder.others else indices[:, 1:]


def _lookup(
    name: str, encoder: OneHotEncoder | EmbeddingEncoder, texts: Any, mode: str
) -> Any:
    lookup = layers.StringLookup(
        vocabulary=encoder.vocabulary,
        mask_token=None,
        oov_token=_unused(encoder.vocabulary),
        output_mode=mode,
        name=name,
    )
    return lookup(texts)


def _unused(vocabulary: list[str]) -> str:
    token = "[UNK]"  # noqa: S105  Keras's own token
    while token in vocabulary:
        token = f"[{token}]"
    return token
