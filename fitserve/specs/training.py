"""The `compile` and `fit` steps, with Keras's argument names."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fitserve.specs.closed import Closed, name_or_object
from fitserve.specs.optimizers import OptimizerSpec
from fitserve.specs.vocabulary import LOSSES, METRICS, Loss, Metric, by_task

Monitor = Annotated[str, Field(min_length=1, max_length=100)]
Mode = Literal["auto", "min", "max"]
Epochs = Annotated[int, Field(ge=0, le=1_000_000)]


class CompileSpec(Closed):
    """What `model.compile` gets; loss and metrics follow from the task if absent."""

    optimizer: OptimizerSpec = "adam"
    """By name with Keras's defaults, or as an object."""
    loss: Loss | None = Field(default=None, json_schema_extra=by_task(LOSSES))
    """What training makes small; `mse` or the crossentropy of the task unless given."""
    metrics: list[Metric] | None = Field(
        default=None, max_length=20, json_schema_extra=by_task(METRICS)
    )
    """Told with every epoch; `[]` for none. Absent: two that suit the task, or one."""


class EarlyStopping(Closed):
    """`keras.callbacks.EarlyStopping`; best weights are restored unless told not to."""

    monitor: Monitor = "val_loss"
    """The number to watch; the metrics by their names, with `val_` on held-out rows."""
    min_delta: float = Field(default=0.0, ge=0)
    """A change that is smaller counts as none."""
    patience: Epochs = 10
    """Epochs without improvement until training stops."""
    mode: Mode = "auto"
    """Whether small or large is good; `auto` knows by the name."""
    baseline: float | None = None
    """A value to be reached within `patience` epochs."""
    start_from_epoch: Epochs = 0
    """Epochs before watching begins."""
    restore_best_weights: bool = True
    """Whether the best epoch's weights are kept, not the last one's."""


class ReduceLROnPlateau(Closed):
    """`keras.callbacks.ReduceLROnPlateau`."""

    monitor: Monitor = "val_loss"
    """The number to watch."""
    factor: float = Field(default=0.1, gt=0, lt=1)
    """What the learning rate is multiplied by."""
    patience: Epochs = 10
    """Epochs without improvement until that happens."""
    mode: Mode = "auto"
    """Whether small or large is good; `auto` knows by the name."""
    min_delta: float = Field(default=0.0001, ge=0)
    """A change that is smaller counts as none."""
    cooldown: Epochs = 0
    """Epochs after a reduction in which nothing is counted."""
    min_lr: float = Field(default=0.0, ge=0, le=1e6)
    """The rate falls no lower."""


class CosineDecay(Closed):
    """The learning rate falls along a cosine to `alpha` of its start at the last epoch.

    Before, it rises in a line over `warmup_epochs`: Loshchilov and Hutter, "SGDR:
    Stochastic Gradient Descent with Warm Restarts", 2017, without the restarts.
    """

    type: Literal["CosineDecay"]
    warmup_epochs: Epochs = 0
    """Epochs in which the rate rises to its start."""
    alpha: float = Field(default=0.0, ge=0, le=1)
    """The share of the rate that is left at the end."""


Weight = Annotated[float, Field(ge=0, le=1e6)]
ClassWeight = Annotated[
    Annotated[Literal["balanced"], Tag("name")]
    | Annotated[dict[str, Weight], Field(max_length=10_000), Tag("object")],
    Discriminator(name_or_object),
]


class FitSpec(Closed):
    """What `model.fit` gets.

    With neither `epochs` nor `early_stopping` given, up to 200 epochs run with early
    stopping; a given `epochs` without `early_stopping` runs to its end, as in Keras.
    """

    validation_split: float = Field(default=0.2, ge=0, le=0.9)
    """The share of rows that are held out, and scored after every epoch."""
    validation_dataset: str | None = Field(default=None, min_length=1, max_length=100)
    """Another upload to validate on, in place of a share."""
    batch_size: int | None = Field(default=None, ge=1, le=1_000_000)
    """Rows a step. Unless given 32; beyond 10,000 training rows 256, beyond 100,000
    1,024. More than there are training rows is one batch of all, as in Keras."""
    epochs: int | None = Field(default=None, ge=1, le=10_000_000)
    """Passes over the training rows, at most."""
    shuffle: bool = True
    """Whether rows are mixed anew for every epoch."""
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """Fixes split, first weights and noise; drawn and stored unless given."""
    num_seeds: int = Field(default=1, ge=1, le=10)
    """How many fits there are, one after another with `seed`, `seed` + 1, and so on; the
    best on the validation rows is kept."""
    class_weight: ClassWeight | None = None
    """How much a class counts in the loss: `"balanced"`, or numbers by class."""
    early_stopping: EarlyStopping | None = None
    """`keras.callbacks.EarlyStopping`."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """`keras.callbacks.ReduceLROnPlateau`; not beside a scheduler."""
    learning_rate_scheduler: CosineDecay | None = None
    """What `keras.callbacks.LearningRateScheduler` gets, by name."""
    time_limit_seconds: float | None = Field(default=None, gt=0, le=31_536_000)
    """Training stops then, and what it has is kept."""
