"""A run's spec with every default filled in, and its plan, as they are stored."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core.runs.planning.target import Label
from fitserve.enums import ColumnType, Task
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.runs import LayerPlan
from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import OptimizerObject
from fitserve.specs.promotion import PromotionSpec
from fitserve.specs.report import ReportSpec
from fitserve.specs.run import (
    FeaturesSpec,
    PresetName,
    Priority,
    SplitSpec,
    WorkerTags,
)
from fitserve.specs.training import CompileSpec, FitSpec
from fitserve.specs.vocabulary import Loss, Metric


class ResolvedCompile(CompileSpec):
    """The arguments of `model.compile`; the optimizer is an object, never a name."""

    model_config = ConfigDict(frozen=True)

    optimizer: OptimizerObject
    loss: Loss
    metrics: list[Metric]
    weighted_metrics: list[Metric] = Field(default=[])

    @property
    def metric_names(self) -> list[str]:
        """Return the names of all metrics in the history, as Keras names them."""
        return [*self.metrics, *map(self.weighted_name, self.weighted_metrics)]

    def weighted_name(self, metric: str) -> str:
        """Return the name of a weighted metric in the history."""
        return f"weighted_{metric}" if metric in self.metrics else metric


class ResolvedFit(FitSpec):
    """The arguments of `model.fit`; limits were checked when the run was queued."""

    model_config = ConfigDict(frozen=True)

    batch_size: int
    epochs: int
    seed: int

    @property
    def weight_columns(self) -> list[str]:
        """Return the column of the sample weights in a list, which may be empty."""
        return [] if self.sample_weight is None else [self.sample_weight]


class ResolvedSpec(BaseModel):
    """A RunCreate with every default filled in; it has the same keys in the same order.

    Only optional values are None: a preset, a callback, a time limit, a promotion.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    """The id or the name that the user gave."""
    target: str
    model_name: str
    task: Task
    positive_class: Label | None = None
    """The class that is encoded as 1; None unless the target has two classes."""
    preset: PresetName | None = None
    features: FeaturesSpec = FeaturesSpec()
    split: SplitSpec = SplitSpec()
    model: ModelSpec
    compile: ResolvedCompile
    fit: ResolvedFit
    report: ReportSpec = ReportSpec()
    tags: dict[str, str] = {}
    priority: Priority = Field(default=0, exclude_if=lambda priority: priority == 0)
    worker_tags: WorkerTags = Field(default=[], exclude_if=lambda tags: not tags)
    promotion: PromotionSpec | None = Field(
        default=None, exclude_if=lambda promotion: promotion is None
    )

    def to_json(self) -> dict[str, Any]:
        """Return the spec as it is stored and shown; it can be posted again."""
        return self.model_dump(mode="json")


class RunPlan(BaseModel):
    """Layers, columns and classes of a run; fields are the keys of the stored JSON."""

    model_config = ConfigDict(frozen=True)

    layers: list[LayerPlan]
    features: dict[str, ColumnType] = {}
    """The columns that are inputs of the network, in order."""
    excluded: dict[str, str] = {}
    """The other columns, each with the reason."""
    classes: list[Label] = []
    """Sorted; empty for a regression. 1, 1.0, True and "1" are different classes."""
    formats: dict[str, ColumnFormat] = {}
    """The format of each feature's cells; empty in runs of the first release."""
    null_values: list[str] | None = None
    """The texts that mean "missing", if the upload specified them."""
    splitting: int = Field(default=1, exclude_if=lambda rule: rule == 1)
    """The version of the rule that splits rows; runs without this key have 1."""
    split_key: int = Field(default=0, exclude_if=lambda key: key == 0)
    """The key by which version 3 of the rule gives rows their positions."""

    @property
    def num_params(self) -> int:
        """Return the number of weights of all layers."""
        return sum(layer.params for layer in self.layers)
