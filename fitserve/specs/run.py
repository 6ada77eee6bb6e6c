"""The spec of a run: the body of `POST /v1/runs`."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from fitserve.enums import Task
from fitserve.names import MOST_REFERENCE, MOST_WORKER_TAGS, ColumnName, Name, WorkerTag
from fitserve.specs.closed import Closed
from fitserve.specs.columns import GivenType
from fitserve.specs.keras_model import GivenModel
from fitserve.specs.promotion import PromotionSpec
from fitserve.specs.report import ReportSpec
from fitserve.specs.training import CompileSpec, FitSpec
from fitserve.specs.webhook import WebhookSpec

Tag = Annotated[str, Field(max_length=500)]
MOST_TAGS = 50
Priority = Annotated[int, Field(ge=-100, le=100)]
WorkerTags = Annotated[list[WorkerTag], Field(max_length=MOST_WORKER_TAGS)]
ClassLabel = bool | int | float | Annotated[str, Field(max_length=1000)]
# a member of the enum is written as a string
LaxTask = Annotated[Task, Field(strict=False)]


class FeaturesSpec(Closed):
    """Columns that the network uses, and their encoding."""

    model_config = ConfigDict(serialize_by_alias=True)

    include: list[ColumnName] | None = Field(default=None, max_length=10_000)
    """Use only these columns, even if they are left out by default (ids, short text).
    Free text is refused."""
    exclude: list[ColumnName] = Field(default=[], max_length=10_000)
    """Columns that the network does not use."""
    types: dict[ColumnName, GivenType] = Field(default={}, max_length=10_000)
    """Types by column, or objects with a type and its notation, instead of what was
    detected; the run reads the file again."""
    as_: str | None = Field(
        default=None,
        alias="as",
        min_length=1,
        max_length=100,
        exclude_if=lambda name: name is None,
    )
    """Use exactly the inputs and types of a version of the model: `version 1`, `serving`
    or an alias. The spec is refused if the table does not have them. `table` chooses the
    inputs from the table, as for a new model. Default: the inputs of the serving version,
    without those that the table lacks."""
    standardize: bool = True
    """Whether numeric columns are standardized, by statistics of the training rows."""
    num_bins: int | None = Field(default=None, ge=2, le=256)
    """Maximum number of bins per numeric column. Each bin adds an input that rises from 0
    to 1 between two quantiles of the training rows (piecewise linear encoding)."""

    @model_validator(mode="after")
    def _chosen_once(self) -> Self:
        if self.as_ in (None, "table") or (self.include is None and not self.exclude):
            return self
        raise ValueError("`as` without `include` and `exclude`: it names every input")

    @model_validator(mode="after")
    def _bins_are_scaled(self) -> Self:
        if self.num_bins is None or self.standardize:
            return self
        raise ValueError("`num_bins` only together with `standardize: true`")


class SplitSpec(Closed):
    """Rows that are held out; `fit.validation_split` is the share for validation."""

    by: Literal["random", "time", "group", "column"] = "random"
    """How to hold out rows: `random` (stratified by class), `time` (the newest rows),
    `group` (whole groups) or `column` (its cells are train, validation or test)."""
    column: ColumnName | None = None
    """Column for a split by time, group or column; absent for `random`."""
    test: float = Field(default=0.0, ge=0, le=0.9)
    """Share of rows for a final test; metrics on these rows are named `test_…`."""
    key: Literal["lineage", "seed"] | None = Field(
        default=None, exclude_if=lambda key: key is None
    )
    """Key that decides which rows or groups are held out: `lineage`, the random key that
    all datasets of one name share, or `seed`. Default: `seed` if the spec gives
    `fit.seed`, else `lineage`."""

    @model_validator(mode="after")
    def _column_where_needed(self) -> Self:
        if (self.column is None) == (self.by == "random"):
            return self
        wanted = "no `column`" if self.by == "random" else "a `column`"
        raise ValueError(f"{wanted} for a split by {self.by}")

    @property
    def group_column(self) -> str | None:
        """Return the column that groups the rows, if the split is by group."""
        return self.column if self.by == "group" else None


PresetName = Literal["linear", "small", "default", "thorough"]


class RunCreate(Closed):
    """The spec of a run. The run shows it with all defaults."""

    elsewhere: ClassVar = {
        "notes": "notes are no part of a spec: set them on the run, with PATCH "
        "/v1/runs/{run_id}, `runs.update(run, notes=…)` or `fitserve runs note`"
    }

    dataset: str | None = Field(default=None, min_length=1, max_length=MOST_REFERENCE)
    """Id or name of the dataset, or a version such as `houses@2`; a name is its newest
    version. Required unless the request contains the CSV."""
    target: ColumnName
    """Column to predict."""
    model_name: Name | None = None
    """Name of the model that gets the new version. Default: the dataset's name."""
    task: LaxTask | None = None
    """Kind of prediction. Default: derived from the target's values and the loss."""
    positive_class: ClassLabel | None = None
    """The class, of two, that is encoded as 1: precision, recall, thresholds and curves
    are about it. Default: the word that means true, or the last class in sorted order."""
    preset: PresetName | None = None
    """Preset for the keys that the spec leaves out; `default` if `model` is absent."""
    features: FeaturesSpec = FeaturesSpec()
    """Columns that the network uses, and their encoding."""
    split: SplitSpec = SplitSpec()
    """Rows that are held out."""
    model: GivenModel | None = None
    """The network. Default: the network of the preset."""
    compile: CompileSpec = CompileSpec()
    """Optimizer, loss and metrics."""
    fit: FitSpec = FitSpec()
    """Epochs, batches and early stopping."""
    report: ReportSpec = ReportSpec()
    """Measurements after the fit."""
    tags: dict[Name, Tag] = Field(default={}, max_length=MOST_TAGS)
    """Names and values of your choice, by which runs can be listed."""
    priority: Priority = Field(default=0, exclude_if=lambda priority: priority == 0)
    """Place among the queued runs of the workspace: runs with a higher number start
    first."""
    worker_tags: WorkerTags = Field(default=[], exclude_if=lambda tags: not tags)
    """Tags that a worker must have to train this run, such as `gpu`."""
    promotion: PromotionSpec | None = Field(
        default=None, exclude_if=lambda promotion: promotion is None
    )
    """Whether the new version replaces an older one. Default: it serves if it breaks no
    caller of the serving version, unless the model makes promotion explicit."""
    webhook: WebhookSpec | None = None
    """Webhook to call when the run has ended; the run does not show the webhook."""

    def to_spec(self) -> dict[str, Any]:
        """Return the spec as stored and shown, without the webhook."""
        return self.model_dump(mode="json", exclude={"webhook"})
