"""The layers a network may be made of; `type` is the Keras class name.

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
    """The penalty is this times the sum of absolute weights."""


class L2(Closed):
    """`keras.regularizers.L2`."""

    type: Literal["L2"]
    l2: Factor = 0.01
    """The penalty is this times the sum of squared weights."""


class L1L2(Closed):
    """`keras.regularizers.L1L2`."""

    type: Literal["L1L2"]
    l1: Factor = 0.01
    """Times the sum of absolute weights."""
    l2: Factor = 0.01
    """Times the sum of squared weights, added to it."""


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
    """The base of all layers, which computes sizes without Keras.

    The page's form shows required fields and fields with `examples`; the first example
    is the value in a new layer.
    """

    @abstractmethod
    def params(self, width: int) -> int:
        """Return how many numbers Keras stores for the layer over `width` inputs."""

    @abstractmethod
    def output_width(self, width: int) -> int:
        """Return the width of the output for `width` inputs."""


class SameWidth(LayerSpec):
    """A layer whose output is as wide as its input."""

    def output_width(self, width: int) -> int:
        return width


class Weightless(SameWidth):
    """A layer that stores no numbers and leaves the width alone."""

    def params(self, width: int) -> int:  # noqa: ARG002  of any width
        return 0


class Dense(LayerSpec):
    """`units` neurons, each joined to every output of the layer before."""

    type: Literal["Dense"]
    units: int = Field(ge=1, le=65_536, examples=[64])
    """Neurons, which is the width of what comes out."""
    activation: Activation = Field(default="linear", examples=["relu"])
    """Applied to what comes out."""
    use_bias: bool = True
    """Whether each neuron adds a number of its own."""
    kernel_initializer: Initializer = "glorot_uniform"
    """What the weights are before the first epoch."""
    bias_initializer: Initializer = "zeros"
    """What the biases are before the first epoch."""
    kernel_regularizer: Regularizer | None = None
    """A penalty on large weights, added to the loss; `"l2"` is `{"type": "L2"}`."""
    bias_regularizer: Regularizer | None = None
    """The same for biases."""

    def params(self, width: int) -> int:
        return (width + self.use_bias) * self.units

    def output_width(self, width: int) -> int:  # noqa: ARG002  of any width
        return self.units


class ActivationLayer(Weightless):
    """An activation as a layer of its own."""

    type: Literal["Activation"]
    activation: Activation = Field(examples=["relu"])
    """Applied to every input."""


class Dropout(Weightless):
    """Sets a share `rate` of its inputs to zero while training."""

    type: Literal["Dropout"]
    rate: Rate = Field(examples=[0.3])
    """Each input is dropped with this probability; the others grow to make up for it."""


class BatchNormalization(SameWidth):
    """Centres and scales each input over the batch, and learns where to put it."""

    type: Literal["BatchNormalization"]
    momentum: Rate = 0.99
    """How much of the running mean and variance, used to predict, a batch leaves."""
    epsilon: float = Field(default=0.001, gt=0, le=1)
    """Added to the variance, so that nothing is divided by 0."""
    center: bool = True
    """Whether an offset is learned (`beta`)."""
    scale: bool = True
    """Whether a factor is learned (`gamma`)."""

    def params(self, width: int) -> int:
        return (2 + self.center + self.scale) * width


class LayerNormalization(SameWidth):
    """Centres and scales the outputs of one row."""

    type: Literal["LayerNormalization"]
    epsilon: float = Field(default=0.001, gt=0, le=1)
    """Added to the variance, so that nothing is divided by 0."""
    center: bool = True
    """Whether an offset is learned (`beta`)."""
    scale: bool = True
    """Whether a factor is learned (`gamma`)."""

    def params(self, width: int) -> int:
        return (self.center + self.scale) * width


class GaussianNoise(Weightless):
    """Adds noise of standard deviation `stddev` while training."""

    type: Literal["GaussianNoise"]
    stddev: float = Field(ge=0, le=100, examples=[0.1])
    """Standard deviation of the noise."""


class Output(Weightless):
    """The head that the task needs: Dense with its units and activation."""

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
    """The whole network, head included, as in `keras.Sequential`."""

    other_keys = ("keras",)
    layers: list[Layer] = Field(min_length=1, max_length=256)
    """From the first behind the inputs to the head."""
    ensemble: int = Field(default=1, ge=1, le=64)
    """So many networks in one: each scales the inputs and ends in a last Dense of its
    own, the layers between are shared; the prediction is the mean (TabM, 2024)."""
    _place: tuple[str | int, ...] = PrivateAttr(default=("layers",))
    _first: int = PrivateAttr(default=0)
    _num_inputs: int | None = PrivateAttr(default=None)

    def came_from(
        self, place: tuple[str | int, ...], first: int, num_inputs: int | None
    ) -> Self:
        """Store the keys that lead to the layers in the user's spec, and the inputs."""
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
        """Return the keys that lead to the layers, or to one layer, in the spec."""
        inner = () if layer is None else (layer + self._first,)
        return ("model", *self._place, *inner)
