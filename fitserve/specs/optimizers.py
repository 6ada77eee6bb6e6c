"""The optimizers, with Keras's argument names and defaults."""

from typing import Annotated, Literal, get_args

from pydantic import Discriminator, Field, Tag

from fitserve.specs.closed import Closed, name_or_object
from fitserve.specs.tables import by_type, complete

Beta = Annotated[float, Field(ge=0, lt=1)]
Epsilon = Annotated[float, Field(gt=0, le=1, description="Added to what is divided by.")]
LearningRate = Annotated[float, Field(gt=0, le=1e6, description="How far a step goes.")]


class Optimizer(Closed):
    """What every optimizer takes."""

    learning_rate: LearningRate = 0.001
    weight_decay: float | None = Field(default=None, ge=0, le=1)
    """The share of each weight that a step takes away, times the rate."""
    clipnorm: float | None = Field(default=None, gt=0, le=1e9)
    """The gradient of each weight matrix is scaled down to this norm."""
    clipvalue: float | None = Field(default=None, gt=0, le=1e9)
    """No element of a gradient is larger than this."""


class _TwoMeans(Optimizer):
    type: str
    beta_1: Beta = 0.9
    """How much of the mean of gradients a step keeps."""
    beta_2: Beta = 0.999
    """How much of the mean of squared gradients a step keeps."""
    epsilon: Epsilon = 1e-7


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted."""

    type: Literal["SGD"] = "SGD"
    learning_rate: LearningRate = 0.01
    momentum: float = Field(default=0.0, ge=0, le=1)
    """The share of the last step that the next one keeps."""
    nesterov: bool = False
    """Whether the gradient is taken where momentum leads (Nesterov, 1983)."""


class Adam(_TwoMeans):
    """Adam, a good first choice."""

    type: Literal["Adam"] = "Adam"
    amsgrad: bool = False
    """Whether the largest mean of squares so far is used (Reddi et al., 2018)."""


class AdamW(_TwoMeans):
    """Adam with decoupled weight decay."""

    type: Literal["AdamW"] = "AdamW"
    weight_decay: float | None = Field(default=0.004, ge=0, le=1)
    """The share of each weight that a step takes away, times the rate."""
    amsgrad: bool = False
    """Whether the largest mean of squares so far is used (Reddi et al., 2018)."""


class RMSprop(Optimizer):
    """Divides the gradient by a running average of its size."""

    type: Literal["RMSprop"] = "RMSprop"
    rho: Beta = 0.9
    """How much of the mean of squared gradients a step keeps."""
    momentum: float = Field(default=0.0, ge=0, le=1)
    """The share of the last step that the next one keeps."""
    epsilon: Epsilon = 1e-7
    centered: bool = False
    """Whether the gradient's variance is divided by, not its mean square."""


class Adagrad(Optimizer):
    """A learning rate of its own for every weight."""

    type: Literal["Adagrad"] = "Adagrad"
    initial_accumulator_value: float = Field(default=0.1, ge=0, le=1e6)
    """What the sum of squared gradients begins with."""
    epsilon: Epsilon = 1e-7


class Nadam(_TwoMeans):
    """Adam with Nesterov momentum."""

    type: Literal["Nadam"] = "Nadam"


OptimizerObject = Annotated[
    SGD | Adam | AdamW | RMSprop | Adagrad | Nadam, Field(discriminator="type")
]
OptimizerName = Literal["sgd", "adam", "adamw", "rmsprop", "adagrad", "nadam"]
OPTIMIZERS: dict[str, type[Optimizer]] = by_type(OptimizerObject)
"""Every optimizer by its `type`, the Keras class name."""
BY_NAME = complete(
    "an optimizer's class",
    {name.lower(): kind for name, kind in OPTIMIZERS.items()},
    get_args(OptimizerName),
)
"""Every optimizer by its lower-case name, which means Keras's defaults."""


OptimizerSpec = Annotated[
    Annotated[OptimizerName, Tag("name")] | Annotated[OptimizerObject, Tag("object")],
    Discriminator(name_or_object),
]
