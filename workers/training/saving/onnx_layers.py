"""Write Keras layers as ONNX nodes, with one short function for each layer.

There are few layers, a converter would cost seconds per run, and raw string columns need
our own nodes in any case (docs/decisions/0003).
"""

from collections.abc import Callable, Iterable

import keras
import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from fitserve.specs.layers import BUILT
from fitserve.specs.tables import complete

Array = NDArray[np.generic]


class Graph:
    """Collect the nodes and constants of a graph, and give every value a new name.

    Args:
        inputs: the names of the graph's inputs, which no other value may have.

    """

    def __init__(self, inputs: Iterable[str] = ()) -> None:
        self._inputs = frozenset(inputs)
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def fresh(self, name: str) -> str:
        """Return the name, followed by underscores if a column has the same name."""
        while name in self._inputs:
            name += "_"
        return name

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """Append a node with one output, and return the output's name."""
        name = self.fresh(f"v{len(self.nodes)}")
        self.nodes.append(
            helper.make_node(op, list(inputs), [name], domain=domain, **attributes)
        )
        return name

    def constant(self, value: Array) -> str:
        """Store an array, and return its name."""
        name = self.fresh(f"c{len(self.constants)}")
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def scalar(self, value: float) -> str:
        """Store a float32 scalar, and return its name."""
        return self.constant(np.array(value, np.float32))


def add_layer(graph: Graph, layer: keras.layers.Layer, x: str) -> str:
    """Append the nodes of `layer` in prediction; `x` is float32 `[N, width]`.

    In an ensemble `x` is `[members, N, width]`, so that one MatMul computes all members.
    """
    return WRITERS[type(layer).__name__](graph, layer, x)


def _dense(graph: Graph, layer: keras.layers.Dense, x: str) -> str:
    if len(layer.input.shape) == 3:
        return _in_members(graph, layer, x, _array(layer.kernel))
    operands = [x, graph.constant(_array(layer.kernel))]
    if layer.use_bias:
        operands.append(graph.constant(_array(layer.bias)))
    return _activate(graph, layer.activation, graph.add("Gemm", *operands))


def _einsum_dense(graph: Graph, layer: keras.layers.EinsumDense, x: str) -> str:
    """Append the scales of the members, or their last Dense (see `ensemble.py`)."""
    kernel = _array(layer.kernel)
    if kernel.ndim == 2:
        return graph.add("Mul", x, graph.constant(kernel[:, None, :]))
    return _in_members(graph, layer, x, kernel)


def _in_members(
    graph: Graph,
    layer: keras.layers.Dense | keras.layers.EinsumDense,
    x: str,
    kernel: NDArray[np.float32],
) -> str:
    x = graph.add("MatMul", x, graph.constant(kernel))
    if layer.bias is not None:
        bias = _array(layer.bias)
        x = graph.add("Add", x, graph.constant(bias[..., None, :]))
    return _activate(graph, layer.activation, x)


def _mean(graph: Graph, layer: keras.layers.Layer, x: str) -> str:  # noqa: ARG001
    axes = graph.constant(np.array([0], np.int64))
    return graph.add("ReduceMean", x, axes, keepdims=0)


def _activation(graph: Graph, layer: keras.layers.Activation, x: str) -> str:
    return _activate(graph, layer.activation, x)


def _batch_normalization(
    graph: Graph, layer: keras.layers.BatchNormalization, x: str
) -> str:
    deviation = np.sqrt(_array(layer.moving_variance) + np.float32(layer.epsilon))
    gamma = _array(layer.gamma) if layer.scale else np.float32(1)
    scale = gamma / deviation
    beta = _array(layer.beta) if layer.center else 0
    offset = beta - _array(layer.moving_mean) * scale
    scaled = graph.add("Mul", x, graph.constant(scale.astype(np.float32)))
    return graph.add("Add", scaled, graph.constant(offset.astype(np.float32)))


def _layer_normalization(
    graph: Graph, layer: keras.layers.LayerNormalization, x: str
) -> str:
    width = int(layer.input.shape[-1])
    gamma = _array(layer.gamma) if layer.scale else np.ones(width, np.float32)
    operands = [x, graph.constant(gamma)]
    if layer.center:
        operands.append(graph.constant(_array(layer.beta)))
    epsilon = float(layer.epsilon)
    return graph.add("LayerNormalization", *operands, axis=-1, epsilon=epsilon)


def _nothing(graph: Graph, layer: keras.layers.Layer, x: str) -> str:  # noqa: ARG001
    """Append nothing: the layer acts only in training, or ONNX broadcasts anyway."""
    return x


WRITERS: dict[str, Callable[[Graph, keras.layers.Layer, str], str]] = {
    "Dense": _dense,
    "Activation": _activation,
    "Dropout": _nothing,
    "GaussianNoise": _nothing,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    # only in ensembles
    "EinsumDense": _einsum_dense,
    "RepeatVector": _nothing,
    "GlobalAveragePooling1D": _mean,
}
complete("an ONNX writer", WRITERS, BUILT)

_PLAIN = {
    "relu": "Relu",
    "elu": "Elu",
    "selu": "Selu",
    "gelu": "Gelu",
    "mish": "Mish",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "exponential": "Exp",
}


def _activate(graph: Graph, activation: Callable[..., object], x: str) -> str:
    name = activation.__name__
    match name:
        case "linear":
            return x
        case "silu":
            return graph.add("Mul", x, graph.add("Sigmoid", x))
        case "relu6":
            return graph.add("Clip", x, graph.scalar(0), graph.scalar(6))
        case "leaky_relu":
            return graph.add("LeakyRelu", x, alpha=0.2)
        case "hard_sigmoid":
            return graph.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        case "softmax":
            return graph.add("Softmax", x, axis=-1)
    return graph.add(_PLAIN[name], x)


def _array(variable: keras.Variable) -> NDArray[np.float32]:
    return np.asarray(variable.numpy(), np.float32)
