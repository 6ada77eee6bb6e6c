"""`model.onnx`: raw columns in, predictions out, for plain ONNX Runtime.

Inputs are the features by their own names: float64 `[N, 1]` for numbers and booleans
(NaN is missing), string `[N, 1]` for categories ("" is missing). The output `output` is
float32 `[N, 1]`, or `[N, classes]` for multiclass.
"""

from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper

from core.models.signature import Feature, NumericEncoder, OneHotEncoder, Signature
from workers.training.saving.onnx_layers import Graph, add_layer

OPSET = 20
ML_OPSET = 3
IR_VERSION = 10
OUTPUT = "output"


def save_onnx(network: keras.Sequential, signature: Signature, path: Path) -> None:
    """Write the encoders and the trained network as one ONNX file."""
    graph = Graph()
    value = _encode(graph, signature)
    for layer in network.layers:
        value = add_layer(graph, layer, value)
    graph.nodes.append(helper.make_node("Identity", [value], [OUTPUT]))
    width = int(network.output_shape[-1])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "fitserve",
            _inputs(signature),
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", width])],
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
    kinds = {"numeric": TensorProto.DOUBLE, "one_hot": TensorProto.STRING}
    return [
        helper.make_tensor_value_info(f.name, kinds[f.encoder.type], ["N", 1])
        for f in signature.features
    ]


def _encode(graph: Graph, signature: Signature) -> str:
    """The nodes of encoding.py's `encode`: float32 `[N, inputs]`."""
    blocks = [_numeric(graph, signature.numeric)] if signature.numeric else []
    blocks += [_one_hot(graph, feature) for feature in signature.categorical]
    return blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)


def _numeric(graph: Graph, features: list[Feature]) -> str:
    encoders = [f.encoder for f in features if isinstance(f.encoder, NumericEncoder)]
    raw = graph.add("Concat", *(f.name for f in features), axis=1)
    center = graph.constant(np.array([e.center for e in encoders], np.float64))
    scale = graph.constant(np.array([e.scale for e in encoders], np.float64))
    fill = graph.constant(np.array([e.fill for e in encoders], np.float64))
    scaled = graph.add("Div", graph.add("Sub", raw, center), scale)
    filled = graph.add("Where", graph.add("IsNaN", scaled), fill, scaled)
    return graph.add("Cast", filled, to=TensorProto.FLOAT)


def _one_hot(graph: Graph, feature: Feature) -> str:
    encoder = feature.encoder
    assert isinstance(encoder, OneHotEncoder)  # noqa: S101  by its list
    places = np.arange(len(encoder.vocabulary))
    place = graph.add(
        "LabelEncoder",
        feature.name,
        domain="ai.onnx.ml",
        keys_strings=encoder.vocabulary,
        values_int64s=places.tolist(),
        default_int64=-1,
    )
    hot = graph.add("Equal", place, graph.constant(places[None, :]))
    return graph.add("Cast", hot, to=TensorProto.FLOAT)
