"""The `compile` and `fit` steps, with Keras's argument names."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fitserve.names import MOST_REFERENCE, ColumnName
from fitserve.specs.closed import Closed, name_or_object
from fitserve.specs.optimizers import OptimizerSpec
from fitserve.specs.vocabulary import LOSSES, METRICS, GivenMetric, Loss, by_task

Monitor = Annotated[str, Field(min_length=1, max_length=100)]
Mode = Literal["auto", "min", "max"]
Epochs = Annotated[int, Field(ge=0, le=1_000_000)]


class CompileSpec(Closed):
    """Arguments of Keras's `model.compile`; loss and metrics depend on the task."""

    optimizer: OptimizerSpec = "adam"
    """Name of an optimizer with Keras's defaults, or an object with its arguments."""
    loss: Loss | None = Field(default=None, json_schema_extra=by_task(LOSSES))
    """Function to minimize. Default: `mse`, or the crossentropy for classes."""
    metrics: list[GivenMetric] | None = Field(
        default=None, max_length=20, json_schema_extra=by_task(METRICS)
    )
    """Metrics to measure in every epoch, without weights. Default: one or two for the
    task."""
    weighted_metrics: list[GivenMetric] | None = Field(
        default=None, max_length=20, json_schema_extra=by_task(METRICS)
    )
    """Metrics weighted by `fit.sample_weight`, and by `fit.class_weight` in training. A
    metric that is also in `metrics` is named `weighted_…` here. Default: none."""


class EarlyStopping(Closed):
    """`keras.callbacks.EarlyStopping`; by default the best weights are restored."""

    monitor: Monitor = "val_loss"
    """Loss or metric to watch; the prefix `val_` means its value on validation rows."""
    min_delta: float = Field(default=0.0, ge=0)
    """Smallest change that counts as an improvement."""
    patience: Epochs = 10
    """Number of epochs without improvement after which training stops."""
    mode: Mode = "auto"
    """`min` if lower is better, `max` if higher is better; `auto` decides by the name."""
    baseline: float | None = None
    """Value that must be reached within `patience` epochs."""
    start_from_epoch: Epochs = 0
    """Number of epochs before improvements are counted."""
    restore_best_weights: bool = True
    """Whether to keep the weights of the best epoch instead of the last epoch."""


class ReduceLROnPlateau(Closed):
    """`keras.callbacks.ReduceLROnPlateau`: reduces the learning rate during training."""

    monitor: Monitor = "val_loss"
    """Loss or metric to watch."""
    factor: float = Field(default=0.1, gt=0, lt=1)
    """Factor by which the learning rate is multiplied."""
    patience: Epochs = 10
    """Number of epochs without improvement after which the rate is reduced."""
    mode: Mode = "auto"
    """`min` if lower is better, `max` if higher is better; `auto` decides by the name."""
    min_delta: float = Field(default=0.0001, ge=0)
    """Smallest change that counts as an improvement."""
    cooldown: Epochs = 0
    """Number of epochs after a reduction that do not count for `patience`."""
    min_lr: float = Field(default=0.0, ge=0, le=1e6)
    """Minimum of the learning rate."""


class CosineDecay(Closed):
    """A learning rate that falls along a cosine until the last epoch.

    It first rises linearly for `warmup_epochs`. After Loshchilov and Hutter, "SGDR:
    Stochastic Gradient Descent with Warm Restarts", 2017, without the restarts.
    """

    type: Literal["CosineDecay"]
    warmup_epochs: Epochs = 0
    """Number of epochs in which the rate rises to the optimizer's learning rate."""
    alpha: float = Field(default=0.0, ge=0, le=1)
    """Learning rate at the end, as a share of the optimizer's learning rate."""


Weight = Annotated[float, Field(ge=0, le=1e6)]
ClassWeight = Annotated[
    Annotated[Literal["balanced"], Tag("name")]
    | Annotated[dict[str, Weight], Field(max_length=10_000), Tag("object")],
    Discriminator(name_or_object),
]


class FitSpec(Closed):
    """Arguments of Keras's `model.fit`.

    Without `epochs` and `early_stopping`, training runs up to 200 epochs with early
    stopping. With `epochs` alone, all epochs run, as in Keras.
    """

    validation_split: float = Field(default=0.2, ge=0, le=0.9)
    """Share of rows that are held out and scored after every epoch."""
    validation_dataset: str | None = Field(
        default=None, min_length=1, max_length=MOST_REFERENCE
    )
    """Id or name of a dataset to validate on, instead of a share of the rows."""
    batch_size: int | None = Field(default=None, ge=1, le=1_000_000)
    """Rows per step. Default: 32; 256 above 10,000 training rows, 1,024 above 100,000.
    If there are fewer training rows, one batch has all of them, as in Keras."""
    epochs: int | None = Field(default=None, ge=1, le=10_000_000)
    """Maximum number of passes over the training rows."""
    shuffle: bool = True
    """Whether the training rows are shuffled before every epoch."""
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """Random seed of initial weights and noise, and of the split, unless `split.key` is
    `lineage`. Default: drawn, and stored; a drawn seed does not decide the split."""
    num_seeds: int = Field(default=1, ge=1, le=10)
    """Number of fits, which run one after another with `seed`, `seed` + 1 and so on. The
    best fit on the validation rows is kept."""
    class_weight: ClassWeight | None = None
    """Weight of each class in the loss: `"balanced"`, or a number for each class."""
    sample_weight: ColumnName | None = None
    """Column with the weight of each row, 0 or more, which is not a feature. It weighs
    `loss`, `val_loss` and the report; in training it is multiplied by `class_weight`."""
    early_stopping: EarlyStopping | None = None
    """`keras.callbacks.EarlyStopping`."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """`keras.callbacks.ReduceLROnPlateau`; not together with a scheduler."""
    learning_rate_scheduler: CosineDecay | None = None
    """Schedule for `keras.callbacks.LearningRateScheduler`."""
    time_limit_seconds: float | None = Field(default=None, gt=0, le=31_536_000)
    """Time limit in seconds; training then stops, and its result is kept."""
