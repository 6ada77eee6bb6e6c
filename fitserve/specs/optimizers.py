"""The optimizers, with Keras's argument names and defaults."""

from typing import Annotated, Literal, get_args

from pydantic import Discriminator, Field, Tag

from fitserve.specs.closed import Closed, name_or_object
from fitserve.specs.tables import by_type, complete

Beta = Annotated[float, Field(ge=0, lt=1)]
Epsilon = Annotated[float, Field(gt=0, le=1, description="Added to the divisor.")]
LearningRate = Annotated[float, Field(gt=0, le=1e6, description="Size of each step.")]


class Optimizer(Closed):
    """The arguments of every optimizer."""

    learning_rate: LearningRate = 0.001
    weight_decay: float | None = Field(default=None, ge=0, le=1)
    """Each step subtracts this share of each weight, times the learning rate."""
    clipnorm: float | None = Field(default=None, gt=0, le=1e9)
    """Maximum norm of the gradient of each array; a larger gradient is scaled down."""
    clipvalue: float | None = Field(default=None, gt=0, le=1e9)
    """Maximum absolute value of each element of a gradient."""


class _TwoMeans(Optimizer):
    type: str
    beta_1: Beta = 0.9
    """Share of the moving mean of gradients that each step keeps."""
    beta_2: Beta = 0.999
    """Share of the moving mean of squared gradients that each step keeps."""
    epsilon: Epsilon = 1e-7


class SGD(Optimizer):
    """Gradient descent, optionally with momentum."""

    type: Literal["SGD"] = "SGD"
    learning_rate: LearningRate = 0.01
    momentum: float = Field(default=0.0, ge=0, le=1)
    """Share of the last step that is added to the next step."""
    nesterov: bool = False
    """Whether to use Nesterov momentum (Nesterov, 1983)."""


class Adam(_TwoMeans):
    """The Adam optimizer, a good first choice."""

    type: Literal["Adam"] = "Adam"
    amsgrad: bool = False
    """Whether to use the AMSGrad variant (Reddi et al., 2018)."""


class AdamW(_TwoMeans):
    """Adam with decoupled weight decay."""

    type: Literal["AdamW"] = "AdamW"
    weight_decay: float | None = Field(default=0.004, ge=0, le=1)
    """Each step subtracts this share of each weight, times the learning rate."""
    amsgrad: bool = False
    """Whether to use the AMSGrad variant (Reddi et al., 2018)."""


class RMSprop(Optimizer):
    """Gradient descent that divides each gradient by a moving average of its size."""

    type: Literal["RMSprop"] = "RMSprop"
    rho: Beta = 0.9
    """Share of the moving mean of squared gradients that each step keeps."""
    momentum: float = Field(default=0.0, ge=0, le=1)
    """Share of the last step that is added to the next step."""
    epsilon: Epsilon = 1e-7
    centered: bool = False
    """Whether to divide by the variance of the gradient, not by its mean square."""


class Adagrad(Optimizer):
    """Gradient descent with a separate learning rate for each weight."""

    type: Literal["Adagrad"] = "Adagrad"
    initial_accumulator_value: float = Field(default=0.1, ge=0, le=1e6)
    """Initial value of the sum of squared gradients."""
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
