"""The optimizers, with Keras's argument names and defaults."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fitserve.specs.closed import Closed, name_or_object

Beta = Annotated[float, Field(ge=0, lt=1)]
Epsilon = Annotated[float, Field(gt=0, le=1)]
LearningRate = Annotated[float, Field(gt=0, le=1e6)]


class Optimizer(Closed):
    """What every optimizer takes."""

    learning_rate: LearningRate = 0.001
    weight_decay: float | None = Field(default=None, ge=0, le=1)
    clipnorm: float | None = Field(default=None, gt=0, le=1e9)
    clipvalue: float | None = Field(default=None, gt=0, le=1e9)


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted."""

    type: Literal["SGD"] = "SGD"
    learning_rate: LearningRate = 0.01
    momentum: float = Field(default=0.0, ge=0, le=1)
    nesterov: bool = False


class Adam(Optimizer):
    """Adam, a good first choice."""

    type: Literal["Adam"] = "Adam"
    beta_1: Beta = 0.9
    beta_2: Beta = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: bool = False


class AdamW(Optimizer):
    """Adam with decoupled weight decay."""

    type: Literal["AdamW"] = "AdamW"
    weight_decay: float | None = Field(default=0.004, ge=0, le=1)
    beta_1: Beta = 0.9
    beta_2: Beta = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: bool = False


class RMSprop(Optimizer):
    """Divides the gradient by a running average of its size."""

    type: Literal["RMSprop"] = "RMSprop"
    rho: Beta = 0.9
    momentum: float = Field(default=0.0, ge=0, le=1)
    epsilon: Epsilon = 1e-7
    centered: bool = False


class Adagrad(Optimizer):
    """A learning rate of its own for every weight."""

    type: Literal["Adagrad"] = "Adagrad"
    initial_accumulator_value: float = Field(default=0.1, ge=0, le=1e6)
    epsilon: Epsilon = 1e-7


class Nadam(Optimizer):
    """Adam with Nesterov momentum."""

    type: Literal["Nadam"] = "Nadam"
    beta_1: Beta = 0.9
    beta_2: Beta = 0.999
    epsilon: Epsilon = 1e-7


BY_NAME: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "nadam": Nadam,
}
OptimizerName = Literal["sgd", "adam", "adamw", "rmsprop", "adagrad", "nadam"]
OptimizerObject = Annotated[
    SGD | Adam | AdamW | RMSprop | Adagrad | Nadam, Field(discriminator="type")
]


OptimizerSpec = Annotated[
    Annotated[OptimizerName, Tag("name")] | Annotated[OptimizerObject, Tag("object")],
    Discriminator(name_or_object),
]
