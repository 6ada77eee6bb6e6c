"""Schemas of runs."""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from fitserve.enums import RunStatus, StopReason, Task
from fitserve.frames import Tabular
from fitserve.problems import Problem
from fitserve.schemas.brief import Brief
from fitserve.schemas.report import MainFigure, MainFigureSummary


class DatasetRef(BaseModel):
    """The dataset that a run reads."""

    id: str
    name: str
    version: int = 1
    digest: str


class Progress(BaseModel):
    """Progress of the run; `eta_seconds` is null until the first epoch has ended."""

    epoch: int
    epochs: int
    eta_seconds: float | None


class RunRead(Brief, BaseModel):
    """A run: one training of a network. Its `spec` contains all defaults."""

    brief: ClassVar = (
        "id",
        "status",
        "model_name",
        "model_version",
        "best_epoch",
        "metrics",
        "error",
    )

    id: str
    status: RunStatus
    stop_reason: StopReason | None
    model_name: str
    model_version: int | None
    dataset: DatasetRef
    target: str
    task: Task
    spec: dict[str, Any]
    num_params: int = Field(
        description="Number of weights; an upper bound until a worker has read the "
        "training rows."
    )
    num_rows: dict[str, int] = Field(
        description="Rows with a target for `train`, `validation` and `test`; estimates "
        "until a worker has split the table."
    )
    tags: dict[str, str]
    notes: str | None = Field(None, description="Text about the run, for its readers.")
    progress: Progress
    best_epoch: int | None = Field(
        description="Epoch whose weights were kept, counted from 1 across all fits."
    )
    kept_fit: int | None = Field(
        default=None,
        description="Number of the kept fit, from 1; null if `fit.num_seeds` is 1. The "
        "seed of the kept fit is `fit.seed` + `kept_fit` - 1.",
    )
    metrics: dict[str, float | None] = Field(
        description="Every metric at the epoch whose weights were kept."
    )
    main_figure: MainFigure | None = Field(
        None, description="The main figure of the report; null until it is measured."
    )
    warnings: list[str]
    error: Problem | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class RunSummary(Brief, BaseModel):
    """A run as lists show it; `GET /v1/runs/{run_id}` returns all of it.

    The loss and the main figure are rounded to six decimals, or to six significant digits
    below 1.
    """

    brief: ClassVar = ("id", "status", "model_name", "model_version", "loss")

    id: str
    status: RunStatus
    model_name: str
    model_version: int | None
    dataset_name: str
    target: str
    task: Task
    preset: str | None = Field(
        None,
        exclude_if=lambda name: name is None,
        description="`preset` of the spec; absent without one.",
    )
    num_seeds: int = Field(description="`fit.num_seeds` of the spec.")
    num_params: int = Field(description="`num_params` of the run.")
    num_train_rows: int = Field(description="`num_rows.train` of the run.")
    tags: dict[str, str]
    notes: str | None = Field(
        None,
        exclude_if=lambda text: text is None,
        description="The first 100 characters of the notes; absent without notes.",
    )
    epoch: int = Field(description="`progress.epoch` of the run.")
    epochs: int = Field(description="`progress.epochs` of the run.")
    loss: float | None = Field(
        description="Loss on validation rows, or without these on training rows, at the "
        "epoch whose weights were kept; null until an epoch is kept, and if it is NaN."
    )
    main_figure: MainFigureSummary | None
    error_title: str | None = Field(
        None,
        exclude_if=lambda title: title is None,
        description="Title of the error; absent without an error.",
    )
    seconds: float | None = Field(
        description="Time from the start of the last attempt to its end, or until now; "
        "null while the run is queued."
    )
    created_at: datetime
    ended_at: datetime | None


class HistoryRead(BaseModel, Tabular):
    """Metrics of all epochs: one list per metric, aligned with `epoch` (1-based)."""

    epoch: list[int]
    fit: list[int] | None = Field(
        default=None,
        description="Number of the fit that each epoch belongs to, from 1; absent if "
        "`fit.num_seeds` is 1.",
    )
    history: dict[str, list[float | None]] = Field(
        description="Loss and metrics by Keras's names, with the prefix `val_` on "
        "validation rows; and `learning_rate`, if the spec has a "
        "`learning_rate_scheduler` or `reduce_lr_on_plateau`."
    )

    def table(self) -> dict[str, list[Any]]:
        fit = {} if self.fit is None else {"fit": self.fit}
        return {"epoch": self.epoch, **fit, **self.history}


class LayerPlan(BaseModel):
    """A layer of the network; `output_shape` does not include the batch axis."""

    type: str
    output_shape: list[int]
    params: int


class ValidationRead(BaseModel):
    """The network that a run would train; no run was created."""

    spec: dict[str, Any]
    task: Task
    features: list[str]
    excluded: dict[str, str]
    layers: list[LayerPlan]
    num_params: int = Field(
        description="Upper bound of the number of weights: categories and intervals "
        "without a training row get no input, and only a worker knows these rows."
    )
    num_rows: dict[str, int] = Field(
        description="Estimated rows with a target for `train`, `validation` and `test`."
    )
    num_steps: int
    memory_bytes: int
    warnings: list[str]
