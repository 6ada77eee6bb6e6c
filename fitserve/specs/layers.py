"""The layers that a network may have; `type` is the Keras class name.

A class holds the keys that a user may write, and computes the number of weights and the
width. The union `Layer` lists the classes. The other parts of a layer are in tables keyed
by `type`; a module whose table lacks a layer fails to import: `keras_json/layers.py`,
`workers/training/build.py`, `workers/training/saving/onnx_layers.py`.
"""

from abc import abstractmethod
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, PrivateAttr, Tag

from fitserve.specs.closed import Closed, name_or_object
from fitserve.specs.tables import by_type
from fitserve.specs.vocabulary import Activation, Initializer

Rate = Annotated[float, Field(ge=0, lt=1)]
Factor = Annotated[float, Field(ge=0, le=1e6)]


class L1(Closed):
    """`keras.regularizers.L1`."""

    type: Literal["L1"]
    l1: Factor = 0.01
    """Factor; the penalty is `l1` times the sum of the absolute weights."""


class L2(Closed):
    """`keras.regularizers.L2`."""

    type: Literal["L2"]
    l2: Factor = 0.01
    """Factor; the penalty is `l2` times the sum of the squared weights."""


class L1L2(Closed):
    """`keras.regularizers.L1L2`."""

    type: Literal["L1L2"]
    l1: Factor = 0.01
    """Factor of the sum of the absolute weights in the penalty."""
    l2: Factor = 0.01
    """Factor of the sum of the squared weights in the penalty."""


RegularizerObject = Annotated[L1 | L2 | L1L2, Field(discriminator="type")]
REGULARIZERS: dict[str, type[L1 | L2 | L1L2]] = by_type(RegularizerObject)
"""Every regularizer by its `type`."""
RegularizerName = Literal["l1", "l2", "l1_l2"]
NAMED_REGULARIZERS: dict[str, L1 | L2 | L1L2] = {
    "l1": L1(type="L1"),
    "l2": L2(type="L2"),
    "l1_l2": L1L2(type="L1L2"),
}
"""The regularizer that each name stands for."""
Regularizer = Annotated[
    Annotated[RegularizerName, Tag("name")] | Annotated[RegularizerObject, Tag("object")],
    Discriminator(name_or_object),
]


class LayerSpec(Closed):
    """The base class of layers, which computes sizes without Keras.

    The dashboard's form shows required fields and fields with `examples`; the first
    example is the initial value.
    """

    @abstractmethod
    def params(self, width: int) -> int:
        """Return the number of values that Keras stores for the layer."""

    @abstractmethod
    def output_width(self, width: int) -> int:
        """Return the width of the output for `width` inputs."""


class SameWidth(LayerSpec):
    """A layer whose output is as wide as its input."""

    def output_width(self, width: int) -> int:
        return width


class Weightless(SameWidth):
    """A layer without weights, whose output is as wide as its input."""

    def params(self, width: int) -> int:  # noqa: ARG002  any width
        return 0


class Dense(LayerSpec):
    """A fully connected layer of `units` neurons."""

    type: Literal["Dense"]
    units: int = Field(ge=1, le=65_536, examples=[64])
    """Number of neurons, which is the width of the output."""
    activation: Activation = Field(default="linear", examples=["relu"])
    """Activation function of the neurons."""
    use_bias: bool = True
    """Whether each neuron has a bias."""
    kernel_initializer: Initializer = "glorot_uniform"
    """Initial values of the weights."""
    bias_initializer: Initializer = "zeros"
    """Initial values of the biases."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on large weights, added to the loss; `"l2"` means `{"type": "L2"}`."""
    bias_regularizer: Regularizer | None = None
    """Penalty on large biases, added to the loss."""

    def params(self, width: int) -> int:
        return (width + self.use_bias) * self.units

    def output_width(self, width: int) -> int:  # noqa: ARG002  any width
        return self.units


class ActivationLayer(Weightless):
    """An activation function as a layer."""

    type: Literal["Activation"]
    activation: Activation = Field(examples=["relu"])
    """Activation function, applied to every input."""


class Dropout(Weightless):
    """In training, a random share `rate` of the inputs is set to zero."""

    type: Literal["Dropout"]
    rate: Rate = Field(examples=[0.3])
    """Probability that an input is set to zero; the other inputs are scaled up."""


class BatchNormalization(SameWidth):
    """Normalizes each input over the batch, then applies a learned factor and offset."""

    type: Literal["BatchNormalization"]
    momentum: Rate = 0.99
    """Share of the moving mean and variance (for predictions) that each batch keeps."""
    epsilon: float = Field(default=0.001, gt=0, le=1)
    """Added to the variance to avoid division by zero."""
    center: bool = True
    """Whether an offset (`beta`) is learned."""
    scale: bool = True
    """Whether a factor (`gamma`) is learned."""

    def params(self, width: int) -> int:
        return (2 + self.center + self.scale) * width


class LayerNormalization(SameWidth):
    """Normalizes the inputs of each row, then applies a learned factor and offset."""

    type: Literal["LayerNormalization"]
    epsilon: float = Field(default=0.001, gt=0, le=1)
    """Added to the variance to avoid division by zero."""
    center: bool = True
    """Whether an offset (`beta`) is learned."""
    scale: bool = True
    """Whether a factor (`gamma`) is learned."""

    def params(self, width: int) -> int:
        return (self.center + self.scale) * width


class GaussianNoise(Weightless):
    """In training, Gaussian noise is added to the inputs."""

    type: Literal["GaussianNoise"]
    stddev: float = Field(ge=0, le=100, examples=[0.1])
    """Standard deviation of the noise."""


class Output(Weightless):
    """The output layer for the task: a Dense with the required units and activation."""

    type: Literal["Output"]


Layer = Annotated[
    Dense
    | ActivationLayer
    | Dropout
    | BatchNormalization
    | LayerNormalization
    | GaussianNoise
    | Output,
    Field(discriminator="type"),
]
LAYERS: dict[str, type[LayerSpec]] = by_type(Layer)
"""Every layer by its `type`."""
BUILT: dict[str, type[LayerSpec]] = {
    name: kind for name, kind in LAYERS.items() if kind is not Output
}
"""The layers that Keras builds. A resolved spec has a Dense in place of Output."""


class ModelSpec(Closed):
    """The network: all layers including the output layer, as in `keras.Sequential`."""

    other_keys = ("keras",)
    layers: list[Layer] = Field(min_length=1, max_length=256)
    """The layers in order, from the inputs to the output."""
    ensemble: int = Field(default=1, ge=1, le=64)
    """Number of members (TabM, 2024), each with its own input scales and last Dense; all
    members share the other layers. The prediction is the mean of the members."""
    _place: tuple[str | int, ...] = PrivateAttr(default=("layers",))
    _first: int = PrivateAttr(default=0)
    _num_inputs: int | None = PrivateAttr(default=None)

    def came_from(
        self, place: tuple[str | int, ...], first: int, num_inputs: int | None
    ) -> Self:
        """Store where the layers are in the user's spec, and the number of inputs."""
        self._place, self._first, self._num_inputs = place, first, num_inputs
        return self

    @property
    def last_dense(self) -> int | None:
        """Return the index of the last Dense or Output; None if there is neither."""
        places = [i for i, x in enumerate(self.layers) if isinstance(x, Dense | Output)]
        return places[-1] if places else None

    @property
    def num_inputs(self) -> int | None:
        """Return the number of inputs in the user's Keras JSON; None if it has none."""
        return self._num_inputs

    def place(self, layer: int | None = None) -> tuple[str | int, ...]:
        """Return the path of the layers, or of one layer, in the user's spec."""
        inner = () if layer is None else (layer + self._first,)
        return ("model", *self._place, *inner)
