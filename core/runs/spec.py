"""A run's spec with every default filled in, as it is trained, stored and shown."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from fitserve.enums import Task
from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import OptimizerObject
from fitserve.specs.report import ReportSpec
from fitserve.specs.run import FeaturesSpec, PresetName, SplitSpec
from fitserve.specs.training import CompileSpec, FitSpec
from fitserve.specs.vocabulary import Loss, Metric


class ResolvedCompile(CompileSpec):
    """The arguments of `model.compile`; the optimizer is an object, never a name."""

    model_config = ConfigDict(frozen=True)

    optimizer: OptimizerObject
    loss: Loss
    metrics: list[Metric]


class ResolvedFit(FitSpec):
    """The arguments of `model.fit`; limits were checked when the run was queued."""

    model_config = ConfigDict(frozen=True)

    batch_size: int
    epochs: int
    seed: int


class ResolvedSpec(BaseModel):
    """A RunCreate with every default filled in; it has the same keys in the same order.

    A value is None only if the fit can do without it: a preset, a callback, a time limit.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    """As the user named it, by id or by name."""
    target: str
    model_name: str
    task: Task
    preset: PresetName | None = None
    features: FeaturesSpec = FeaturesSpec()
    split: SplitSpec = SplitSpec()
    model: ModelSpec
    compile: ResolvedCompile
    fit: ResolvedFit
    report: ReportSpec = ReportSpec()
    tags: dict[str, str] = {}

    def to_json(self) -> dict[str, Any]:
        """Return the spec as it is stored and shown; it can be posted again."""
        return self.model_dump(mode="json")
