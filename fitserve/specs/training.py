"""The `compile` and `fit` steps, with Keras's argument names."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fitserve.specs.closed import Closed
from fitserve.specs.optimizers import OptimizerSpec
from fitserve.specs.vocabulary import Loss, Metric

Monitor = Annotated[str, Field(min_length=1, max_length=100)]
Mode = Literal["auto", "min", "max"]
Epochs = Annotated[int, Field(ge=0, le=1_000_000)]


class CompileSpec(Closed):
    """What `model.compile` gets; loss and metrics follow from the task if absent."""

    optimizer: OptimizerSpec = "adam"
    loss: Loss | None = None
    metrics: list[Metric] | None = Field(default=None, max_length=20)


class EarlyStopping(Closed):
    """`keras.callbacks.EarlyStopping`; best weights are restored unless told not to."""

    monitor: Monitor = "val_loss"
    min_delta: float = Field(default=0.0, ge=0)
    patience: Epochs = 10
    mode: Mode = "auto"
    baseline: float | None = None
    start_from_epoch: Epochs = 0
    restore_best_weights: bool = True


class ReduceLROnPlateau(Closed):
    """`keras.callbacks.ReduceLROnPlateau`."""

    monitor: Monitor = "val_loss"
    factor: float = Field(default=0.1, gt=0, lt=1)
    patience: Epochs = 10
    mode: Mode = "auto"
    min_delta: float = Field(default=0.0001, ge=0)
    cooldown: Epochs = 0
    min_lr: float = Field(default=0.0, ge=0, le=1e6)


class CosineDecay(Closed):
    """The learning rate falls along a cosine to `alpha` of its start at the last epoch.

    Before, it rises in a line over `warmup_epochs`: Loshchilov and Hutter, "SGDR:
    Stochastic Gradient Descent with Warm Restarts", 2017, without the restarts.
    """

    type: Literal["CosineDecay"]
    warmup_epochs: Epochs = 0
    alpha: float = Field(default=0.0, ge=0, le=1)


def _word_or_map(value: object) -> str:
    return "word" if isinstance(value, str) else "map"


Weight = Annotated[float, Field(ge=0, le=1e6)]
ClassWeight = Annotated[
    Annotated[Literal["balanced"], Tag("word")]
    | Annotated[dict[str, Weight], Field(max_length=10_000), Tag("map")],
    Discriminator(_word_or_map),
]


class FitSpec(Closed):
    """What `model.fit` gets.

    With neither `epochs` nor `early_stopping` given, up to 200 epochs run with early
    stopping; a given `epochs` without `early_stopping` runs to its end, as in Keras.
    """

    validation_split: float = Field(default=0.2, ge=0, le=0.9)
    validation_dataset: str | None = Field(default=None, min_length=1, max_length=100)
    batch_size: int | None = Field(default=None, ge=1, le=1_000_000)
    epochs: int | None = Field(default=None, ge=1, le=10_000_000)
    shuffle: bool = True
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    class_weight: ClassWeight | None = None
    early_stopping: EarlyStopping | None = None
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    learning_rate_scheduler: CosineDecay | None = None
    """What `keras.callbacks.LearningRateScheduler` gets, by name."""
    time_limit_seconds: float | None = Field(default=None, gt=0, le=31_536_000)
