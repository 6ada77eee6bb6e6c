"""Write `model.onnx`, which maps raw columns to predictions in plain ONNX Runtime.

Inputs are the features by their own names: float64 `[N, 1]` for numbers, booleans and
moments (seconds since 1970, UTC; NaN is missing), string `[N, 1]` for categories ("" is
missing). The output `output` is float32 `[N, 1]`, or `[N, classes]` for multiclass. It is
float64 if the signature has an offset.
"""

from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper

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
from workers.training.saving.onnx_layers import Graph, add_layer
from workers.training.saving.onnx_values import OnnxOps, Value

OPSET = 20
ML_OPSET = 3
IR_VERSION = 10
OUTPUT = "output"


def save_onnx(network: Network, signature: Signature, path: Path) -> None:
    """Write the encoders and the trained network as one ONNX file."""
    graph = Graph(feature.name for feature in signature.features)
    output = graph.fresh(OUTPUT)
    value = _encode(graph, signature, network)
    for layer in network.body.layers:
        value = add_layer(graph, layer, value)
    kind = TensorProto.FLOAT
    if signature.offset:
        kind = TensorProto.DOUBLE
        value = _with_offset(graph, value, signature.offset)
    graph.nodes.append(helper.make_node("Identity", [value], [output]))
    width = int(network.body.output_shape[-1])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "fitserve",
            _inputs(signature),
            [helper.make_tensor_value_info(output, kind, ["N", width])],
            graph.constants,
        ),
        opset_imports=[
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", ML_OPSET),
        ],
        ir_version=IR_VERSION,
        producer_name="fitserve",
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def _inputs(signature: Signature) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(
            f.name, TensorProto.STRING if f.is_text else TensorProto.DOUBLE, ["N", 1]
        )
        for f in signature.features
    ]


def _with_offset(graph: Graph, value: str, offset: float) -> str:
    wide = graph.add("Cast", value, to=TensorProto.DOUBLE)
    return graph.add("Add", wide, graph.constant(np.array(offset, np.float64)))


def _encode(graph: Graph, signature: Signature, network: Network) -> str:
    """Append the encoders and embeddings: float32 `[N, inputs]`."""
    numbers = signature.encoded_by(NumericEncoder)
    blocks = [_numeric(graph, numbers)] if numbers else []
    blocks += [
        _datetime(graph, feature.name, encoder)
        for feature, encoder in signature.encoded_by(DatetimeEncoder)
    ]
    blocks += [
        _one_hot(graph, feature.name, encoder)
        for feature, encoder in signature.encoded_by(OneHotEncoder)
    ]
    embedded = signature.encoded_by(EmbeddingEncoder)
    blocks += [
        _embedding(graph, feature.name, encoder, embedding)
        for (feature, encoder), embedding in zip(
            embedded, network.embeddings, strict=True
        )
    ]
    return blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)


def _numeric(graph: Graph, features: list[tuple[Feature, NumericEncoder]]) -> str:
    encoders = [encoder for _, encoder in features]
    constants = numeric_constants(encoders)
    raw = graph.add("Concat", *(f.name for f, _ in features), axis=1)
    scaled = numeric(Value(graph, raw), constants, OnnxOps).name
    fill = graph.constant(constants["fill"])
    between = piece_constants(encoders)
    if between is None:
        return _filled(graph, scaled, fill)
    is_missing = graph.add("IsNaN", scaled)
    filled = Value(graph, graph.add("Where", is_missing, fill, scaled))
    known = Value(graph, is_missing).apply("Not").apply("Cast", to=TensorProto.DOUBLE)
    encoded = pieces(filled, known, between, OnnxOps).name
    return graph.add("Cast", encoded, to=TensorProto.FLOAT)


def _filled(graph: Graph, value: str, fill: str) -> str:
    filled = graph.add("Where", graph.add("IsNaN", value), fill, value)
    return graph.add("Cast", filled, to=TensorProto.FLOAT)


def _datetime(graph: Graph, column: str, encoder: DatetimeEncoder) -> str:
    seconds = Value(graph, column)
    parts = [
        ((PARTS[part.name](seconds, OnnxOps) - part.center) / part.scale).name
        for part in encoder.parts
    ]
    joined = graph.add("Concat", *parts, axis=1)
    return _filled(graph, joined, graph.constant(np.zeros(len(parts), np.float64)))


def _one_hot(graph: Graph, column: str, encoder: OneHotEncoder) -> str:
    first = 0 if encoder.others else 1
    indices = np.arange(first, len(encoder.vocabulary) + 1)
    index = _category_index(graph, column, encoder.vocabulary)
    hot = graph.add("Equal", index, graph.constant(indices[None, :]))
    return graph.add("Cast", hot, to=TensorProto.FLOAT)


def _embedding(
    graph: Graph,
    column: str,
    encoder: EmbeddingEncoder,
    layer: keras.layers.Embedding,
) -> str:
    table = graph.constant(np.asarray(layer.embeddings.numpy(), np.float32))
    index = _category_index(graph, column, encoder.vocabulary)
    rows = graph.add("Gather", table, index)  # [N, 1, dim]
    shape = graph.constant(np.array([-1, encoder.dim], np.int64))
    return graph.add("Reshape", rows, shape)


def _category_index(graph: Graph, column: str, vocabulary: list[str]) -> str:
    """Append category indices, int64 `[N, 1]`: from 1, or 0 for an unknown category."""
    return graph.add(
        "LabelEncoder",
        column,
        domain="ai.onnx.ml",
        keys_strings=vocabulary,
        values_int64s=list(range(1, len(vocabulary) + 1)),
        default_int64=0,
    )
