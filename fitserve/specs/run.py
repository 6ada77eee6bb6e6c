"""A RunCreate: the notebook it replaces, as one JSON object."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fitserve.enums import ColumnType, Task
from fitserve.names import Name
from fitserve.specs.closed import Closed
from fitserve.specs.keras_model import GivenModel
from fitserve.specs.report import ReportSpec
from fitserve.specs.training import CompileSpec, FitSpec
from fitserve.specs.webhook import WebhookSpec

ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]
Tag = Annotated[str, Field(max_length=500)]
# enums are written as their values
LaxTask = Annotated[Task, Field(strict=False)]
LaxColumnType = Annotated[ColumnType, Field(strict=False)]


class FeaturesSpec(Closed):
    """Which columns the network sees, and how."""

    include: list[ColumnName] | None = Field(default=None, max_length=10_000)
    """These and no others, also those that would be left out (text, ids)."""
    exclude: list[ColumnName] = Field(default=[], max_length=10_000)
    """Columns that the network does not see."""
    types: dict[ColumnName, LaxColumnType] = Field(default={}, max_length=10_000)
    """Types by column, in place of those that the upload found; the run reads the text
    of the file again."""
    standardize: bool = True
    """Whether numbers are centred and scaled by the training rows."""
    num_bins: int | None = Field(default=None, ge=2, le=256)
    """Numbers are seen in so many pieces besides as they are: a piece runs from 0 to 1
    between two quantiles of the training rows (piecewise linear encoding)."""

    @model_validator(mode="after")
    def _bins_are_scaled(self) -> Self:
        if self.num_bins is None or self.standardize:
            return self
        raise ValueError("`num_bins` needs `standardize`; leave one of the two out")


class SplitSpec(Closed):
    """Which rows are held out; the share to validate on is `fit.validation_split`."""

    by: Literal["random", "time", "group", "column"] = "random"
    """At random (classes keep their shares), the newest by a column, whole groups of
    one, or as its cells say (train, validation, test)."""
    column: ColumnName | None = None
    """The column that a split by time, group or column goes by."""
    test: float = Field(default=0.0, ge=0, le=0.9)
    """The share of rows that no epoch sees; the metrics on them are `test_…`."""

    @model_validator(mode="after")
    def _column_where_needed(self) -> Self:
        if (self.column is None) == (self.by == "random"):
            return self
        wanted = "no `column`" if self.by == "random" else "a `column`"
        raise ValueError(f"a split by {self.by} needs {wanted}")


PresetName = Literal["linear", "small", "default", "thorough"]


class RunCreate(Closed):
    """Only `dataset` and `target` are required; every default is shown on the run."""

    dataset: str | None = Field(default=None, min_length=1, max_length=100)
    """Id or name of an upload; may be absent where the CSV comes in the same request."""
    target: ColumnName
    """The column to predict."""
    model_name: Name | None = None
    """The model that the run makes a version of; the dataset's name unless given."""
    task: LaxTask | None = None
    """Follows from the target's values and the loss unless given."""
    preset: PresetName | None = None
    """What stands where the spec is silent; `default` if there is no `model`."""
    features: FeaturesSpec = FeaturesSpec()
    """Which columns the network sees, and how."""
    split: SplitSpec = SplitSpec()
    """Which rows are held out."""
    model: GivenModel | None = None
    """The network; the preset's unless given."""
    compile: CompileSpec = CompileSpec()
    """Optimizer, loss and metrics."""
    fit: FitSpec = FitSpec()
    """Epochs, batches, when to stop."""
    report: ReportSpec = ReportSpec()
    """What is measured behind the fit."""
    tags: dict[Name, Tag] = Field(default={}, max_length=50)
    """Names and values of your own, to find the run by."""
    webhook: WebhookSpec | None = None
    """Told when the run has ended; it may hold a secret, so no run shows it."""

    def to_spec(self) -> dict[str, Any]:
        """Return the spec as it is stored and shown."""
        return self.model_dump(mode="json", exclude={"webhook"})
