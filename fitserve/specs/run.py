"""A RunCreate: the notebook it replaces, as one JSON object."""

from typing import Annotated

from pydantic import Field

from fitserve.names import Name
from fitserve.specs.closed import Closed
from fitserve.specs.layers import ModelSpec
from fitserve.specs.training import CompileSpec, FitSpec
from fitserve.statuses import ColumnType, Task

ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]
Tag = Annotated[str, Field(max_length=500)]
# enums are written as their values
LaxTask = Annotated[Task, Field(strict=False)]
LaxColumnType = Annotated[ColumnType, Field(strict=False)]


class FeaturesSpec(Closed):
    """Which columns the network sees, and how."""

    include: list[ColumnName] | None = Field(default=None, max_length=10_000)
    exclude: list[ColumnName] = Field(default=[], max_length=10_000)
    types: dict[ColumnName, LaxColumnType] = Field(default={}, max_length=10_000)
    standardize: bool = True


class RunCreate(Closed):
    """Only `dataset` and `target` are required; every default is shown on the run."""

    dataset: str | None = Field(default=None, min_length=1, max_length=100)
    target: ColumnName
    model_name: Name | None = None
    task: LaxTask | None = None
    features: FeaturesSpec = FeaturesSpec()
    model: ModelSpec | None = None
    compile: CompileSpec = CompileSpec()
    fit: FitSpec = FitSpec()
    tags: dict[Name, Tag] = Field(default={}, max_length=50)
