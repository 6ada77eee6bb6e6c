"""Schemas of models, versions and aliases."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from fitserve.enums import Task
from fitserve.schemas.brief import Brief
from fitserve.schemas.report import Headline, MainFigure
from fitserve.schemas.runs import LayerPlan


class ArtifactRead(BaseModel):
    """A file that a run produced."""

    name: str
    sha256: str
    num_bytes: int


class VersionRead(Brief, BaseModel):
    """A version of a model, trained by one run; immutable."""

    brief: ClassVar = ("model_name", "version", "run_id", "task", "aliases", "metrics")

    model_name: str
    version: int
    run_id: str
    task: Task
    target: str
    aliases: list[str]
    metrics: dict[str, float | None]
    headline: Headline | None = Field(
        description="The report's metrics on held-out rows; null without metrics."
    )
    main_figure: MainFigure | None = Field(
        None, description="The main figure of the report; null without metrics."
    )
    best_epoch: int | None
    num_params: int
    layers: list[LayerPlan]
    signature: dict[str, Any]
    artifacts: list[ArtifactRead]
    created_at: datetime


class ModelRead(BaseModel):
    """A model with its versions and aliases."""

    name: str
    latest_version: int
    versions: list[int]
    aliases: dict[str, int]
    headline: Headline | None = Field(description="`headline` of the latest version.")
    main_figure: MainFigure | None = Field(
        None, description="`main_figure` of the latest version."
    )
    created_at: datetime


class AliasUpdate(BaseModel):
    """The request to point an alias at a version."""

    version: int = Field(ge=1, le=2**31 - 1)
    require: dict[
        Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=100)]
    ] = Field(
        default={},
        max_length=20,
        description="Conditions on metrics on held-out rows, such as "
        '`{"roc_auc": ">= current"}`; the alias moves only if all are true.',
    )


class WeightRead(BaseModel):
    """One weight array of a layer."""

    name: str
    shape: list[int]
    values: Any


class LayerWeights(BaseModel):
    """The weights of one layer; `index` is the 0-based index of the layer in the spec."""

    index: int
    type: str
    weights: list[WeightRead]


class EmbeddingRead(BaseModel):
    """The embedding of a column's categories; `values` has one row per category."""

    column: str
    categories: list[str]
    values: list[list[float]]


class WeightsRead(BaseModel):
    """Weights and biases by layer; row i of the first kernel belongs to `inputs[i]`."""

    inputs: list[str]
    embeddings: list[EmbeddingRead]
    layers: list[LayerWeights]
