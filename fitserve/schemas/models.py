"""Schemas of models, versions and aliases."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from fitserve.enums import ColumnType, Promotion, Task
from fitserve.names import VersionNumber
from fitserve.schemas.brief import Brief
from fitserve.schemas.report import Headline, MainFigure
from fitserve.schemas.runs import DatasetRef, LayerPlan


class ArtifactRead(BaseModel):
    """A file that a run produced."""

    name: str
    sha256: str
    num_bytes: int


class SpecChange(BaseModel):
    """A key of the spec that differs between two versions."""

    pointer: str
    before: Any = Field(description="Null if the spec lacked the key.")
    after: Any


class ContractChange(BaseModel):
    """A difference of the inputs or answers between two versions."""

    detail: str
    sign: str = Field(description="A short form, such as `+ rooms`.")
    column: str | None
    breaks: bool = Field(
        description="Whether callers of the older version are refused, or get other "
        "answers."
    )


class VersionChanges(BaseModel):
    """The differences between a version and the one that served when it was trained."""

    against: int = Field(description="Number of the other version.")
    served: bool = Field(
        default=False,
        description="Whether the other version served when this one was trained. If "
        "false, that one was deleted or is unknown, and the other one is the version "
        "before.",
    )
    dataset: DatasetRef = Field(description="Dataset of the other version.")
    num_rows: int = Field(description="Rows of that dataset.")
    spec: list[SpecChange] = Field(
        description="Keys that differ, among those that decide the network and its "
        "training. `contract` shows differences of target, task and features."
    )
    contract: list[ContractChange]
    main_figure: MainFigure | None = Field(
        None, description="Main figure of the other version; null without metrics."
    )
    not_comparable: list[str] = Field(
        description="Reasons why the main figures of the two versions cannot be "
        "compared; empty if they can."
    )


class VersionRead(Brief, BaseModel):
    """A version of a model, trained by one run; immutable."""

    brief: ClassVar = (
        "model_name",
        "version",
        "run_id",
        "task",
        "aliases",
        "serves",
        "metrics",
    )

    model_name: str
    version: int
    run_id: str
    task: Task
    target: str
    aliases: list[str]
    serves: bool = Field(
        description="Whether it answers requests that name no version and no alias."
    )
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
    dataset: DatasetRef | None = Field(
        default=None, description="Dataset with the rows of its run."
    )
    num_rows: int | None = Field(default=None, description="Rows of the dataset.")
    changes: VersionChanges | None = Field(
        default=None, description="Null for the first version."
    )
    created_at: datetime


class InputRead(BaseModel):
    """An input that every instance must have."""

    name: str
    type: ColumnType
    required: bool = Field(default=True, description="An absent input is refused.")
    missing_allowed: bool = Field(
        description="Whether null is expected; otherwise it causes a warning."
    )


class ContractRead(BaseModel):
    """The inputs and answers of the serving version, on which callers rely."""

    version: int
    inputs: list[InputRead] = Field(description="In the order of rows sent as lists.")
    target: str
    task: Task
    classes: list[str | int | float | bool] | None


class ModelRead(BaseModel):
    """A model with its versions and aliases."""

    name: str
    serving_version: int = Field(
        description="Version for requests that name neither a version nor an alias."
    )
    latest_version: int = Field(
        description="Newest version; versions of cancelled runs come last."
    )
    versions: list[int]
    aliases: dict[str, int]
    promotion: Promotion = Field(
        description="Whether a finished run may move `serving_version` (`automatic`), or "
        "only a request or the `promotion` of a run (`explicit`)."
    )
    follows_newest: bool = Field(
        description="Whether every new version serves at once, whatever its inputs. True "
        "for models of earlier releases until a request sets the serving version."
    )
    headline: Headline | None = Field(description="`headline` of the latest version.")
    main_figure: MainFigure | None = Field(
        None, description="`main_figure` of the serving version."
    )
    contract: ContractRead | None = Field(
        default=None, description="Null in lists of models."
    )
    created_at: datetime


class AliasUpdate(BaseModel):
    """The request to point an alias at a version, or to let the version serve."""

    version: VersionNumber
    require: dict[
        Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=100)]
    ] = Field(
        default={},
        max_length=20,
        description="Conditions on metrics on held-out rows, such as "
        '`{"roc_auc": ">= current"}`; the alias moves only if all are true.',
    )

    allow_new_contract: bool = Field(
        default=False,
        strict=True,
        description="Whether to move even if requests that the present version accepts "
        "would be refused, or get other answers.",
    )
    reason: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="Reason for the history of the model.",
    )


class ServingUpdate(AliasUpdate):
    """The request to let a version serve; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class ModelUpdate(BaseModel):
    """The request to change the rules of a model."""

    model_config = ConfigDict(extra="forbid")

    promotion: Promotion = Field(
        description="Whether a finished run may move the serving version by itself "
        "(`automatic`), or only a request or the `promotion` of its spec (`explicit`)."
    )


class UndoRequest(BaseModel):
    """The request to undo the last change of an alias or of the serving version."""

    model_config = ConfigDict(extra="forbid")

    alias: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="The alias; absent for the serving version."
    )
    change: int | None = Field(
        default=None,
        ge=1,
        description="Number of the change to undo. Refused unless this change is the "
        "next to be undone, so a repeated request undoes no other.",
    )
    reason: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="Reason for the history of the model.",
    )


class ChangeRead(BaseModel):
    """A change of an alias or of the serving version; immutable."""

    number: int = Field(description="Changes of a model count from 1.")
    alias: str | None = Field(description="The alias; null for the serving version.")
    before: int | None = Field(description="Version before; null if there was none.")
    after: int | None = Field(description="Version after; null for a deleted alias.")
    who: str = Field(description="The key, the local program or the run.")
    why: str
    undoes: int | None = Field(description="Number of the change that this one undid.")
    created_at: datetime


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
