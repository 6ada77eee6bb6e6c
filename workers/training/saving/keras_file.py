"""`model.keras`: raw columns in, predictions out, for plain `keras.models.load_model`.

Called with a dict of tensors by column name: float64 `[N, 1]` for numbers and booleans
(NaN is missing), string `[N, 1]` for categories ("" is missing).
"""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from core.models.signature import Feature, NumericEncoder, OneHotEncoder, Signature

_UNSAFE = set("/\\") | {chr(i) for i in range(32)}


def save_keras(network: keras.Sequential, signature: Signature, path: Path) -> None:
    """Write the encoders and the trained network as one Keras model."""
    with warnings.catch_warnings():
        # odd column names cannot be layer names; the dict's keys count, and are kept
        warnings.filterwarnings("ignore", message=".*keys in the dict must match.*")
        with_raw_columns(network, signature).save(path)


def with_raw_columns(network: keras.Sequential, signature: Signature) -> keras.Model:
    """The functional model from raw columns through the encoders and the network."""
    raw = {f.name: _input(i, f) for i, f in enumerate(signature.features)}
    blocks = [_numeric(signature.numeric, raw)] if signature.numeric else []
    blocks += [
        _one_hot(i, feature, raw) for i, feature in enumerate(signature.categorical)
    ]
    encoded = blocks[0] if len(blocks) == 1 else layers.Concatenate()(blocks)
    return keras.Model(raw, network(encoded), name="model")


def _input(place: int, feature: Feature) -> Any:
    kind = "float64" if feature.encoder.type == "numeric" else "string"
    return keras.Input((1,), dtype=kind, name=_layer_name(place, feature.name))


def _layer_name(place: int, column: str) -> str:
    """The column's name where Keras can use it, a generated one elsewhere.

    Keras makes paths of layer names when it saves: a column must not choose one.
    """
    odd = column.startswith(".") or len(column) > 100 or _UNSAFE & set(column)
    return f"column_{place}" if odd or column.startswith(_OURS) else column


_OURS = ("column_", "encode_", "network", "concatenate")


def _numeric(features: list[Feature], raw: dict[str, Any]) -> Any:
    encoders = [f.encoder for f in features if isinstance(f.encoder, NumericEncoder)]
    columns = [raw[feature.name] for feature in features]
    value = layers.Concatenate(dtype="float64", name="encode_join")(columns)
    # counted from the fill, so that a missing value is 0 for a moment
    value = _affine(
        "encode_scale",
        [1 / e.scale for e in encoders],
        [-e.center / e.scale - e.fill for e in encoders],
        value,
    )
    value = ops.where(ops.isnan(value), 0.0, value)
    fills = [e.fill for e in encoders]
    if any(fills):
        value = _affine("encode_fill", [1.0] * len(fills), fills, value)
    return ops.cast(value, "float32")


def _affine(name: str, scale: list[float], offset: list[float], value: Any) -> Any:
    """`value * scale + offset` by column, in float64.

    Not Rescaling or Normalization: those round their constants to float32, and a column
    of large numbers close to each other would lose them.
    """
    layer = layers.EinsumDense(
        "nc,c->nc",
        output_shape=(len(scale),),
        bias_axes="c",
        dtype="float64",
        trainable=False,
        name=name,
    )
    result = layer(value)
    layer.set_weights([np.array(scale), np.array(offset)])
    return result


def _one_hot(place: int, feature: Feature, raw: dict[str, Any]) -> Any:
    encoder = feature.encoder
    assert isinstance(encoder, OneHotEncoder)  # noqa: S101  by its list
    lookup = layers.StringLookup(
        vocabulary=encoder.vocabulary,
        mask_token=None,
        oov_token=_unused(encoder.vocabulary),
        output_mode="one_hot",
        name=f"encode_lookup_{place}",
    )
    return lookup(raw[feature.name])[:, 1:]  # place 0 is the unseen one


def _unused(vocabulary: list[str]) -> str:
    token = "[UNK]"  # noqa: S105  Keras's name for it
    while token in vocabulary:
        token = f"[{token}]"
    return token
