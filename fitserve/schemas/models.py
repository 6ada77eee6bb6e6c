"""Models, versions and aliases on the wire."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from fitserve.enums import Task
from fitserve.schemas.brief import Brief
from fitserve.schemas.report import Headline
from fitserve.schemas.runs import LayerPlan


class ArtifactRead(BaseModel):
    """A file that a run left."""

    name: str
    sha256: str
    num_bytes: int


class VersionRead(Brief, BaseModel):
    """The nth training of a model; immutable."""

    brief: ClassVar = ("model_name", "version", "run_id", "task", "aliases", "metrics")

    model_name: str
    version: int
    run_id: str
    task: Task
    target: str
    aliases: list[str]
    metrics: dict[str, float | None]
    headline: Headline | None = Field(
        description="The report's figures on held-out rows; null where it has none."
    )
    best_epoch: int | None
    num_params: int
    layers: list[LayerPlan]
    signature: dict[str, Any]
    artifacts: list[ArtifactRead]
    created_at: datetime


class ModelRead(BaseModel):
    """A named trained thing: its newest version and its aliases."""

    name: str
    latest_version: int
    versions: list[int]
    aliases: dict[str, int]
    headline: Headline | None = Field(description="That of the latest version.")
    created_at: datetime


class AliasUpdate(BaseModel):
    """Where an alias shall point."""

    version: int = Field(ge=1, le=2**31 - 1)
    require: dict[
        Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=100)]
    ] = Field(
        default={},
        max_length=20,
        description='Figures on held-out rows, such as `{"roc_auc": ">= current"}`: the '
        "alias moves only if they hold.",
    )


class WeightRead(BaseModel):
    """One array of a layer."""

    name: str
    shape: list[int]
    values: Any


class LayerWeights(BaseModel):
    """The weights of one layer; `index` counts the spec's layers from 0."""

    index: int
    type: str
    weights: list[WeightRead]


class EmbeddingRead(BaseModel):
    """The numbers that stand for a column's categories, a row each."""

    column: str
    categories: list[str]
    values: list[list[float]]


class WeightsRead(BaseModel):
    """Weights and biases by layer; row i of the first kernel belongs to `inputs[i]`."""

    inputs: list[str]
    embeddings: list[EmbeddingRead]
    layers: list[LayerWeights]
