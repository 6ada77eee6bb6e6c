"""Schemas of the comparison of runs."""

from typing import Any

from pydantic import BaseModel, Field

from fitserve.enums import RunStatus, StopReason, Task
from fitserve.schemas.report import Headline, MainFigure
from fitserve.schemas.runs import DatasetRef


class ComparedRun(BaseModel):
    """One of the compared runs."""

    id: str
    status: RunStatus
    stop_reason: StopReason | None
    model_name: str
    model_version: int | None
    dataset: DatasetRef
    target: str
    task: Task
    num_params: int
    num_rows: dict[str, int]
    best_epoch: int | None = Field(
        description="Epoch whose weights were kept, counted from 1 within the kept fit."
    )
    kept_fit: int | None = Field(
        description="Number of the kept fit, from 1; null if the run has one fit."
    )
    fit_seconds: float
    metrics: dict[str, float | None] = Field(
        description="Every metric at the epoch whose weights were kept."
    )
    headline: Headline | None = Field(
        description="The report's metrics on held-out rows; null without metrics."
    )
    main_figure: MainFigure | None = Field(
        None, description="The main figure of the report; null without metrics."
    )


class Difference(BaseModel):
    """A key whose value differs between the specs of the runs."""

    pointer: str
    values: list[Any] = Field(
        description="One value per run, as in `runs`; null if the spec lacks the key."
    )


class DifferentPart(BaseModel):
    """A part of the spec that differs between the runs, in words."""

    part: str = Field(description="Such as `optimizer`, `layer 2` or `early stopping`.")
    texts: list[str] = Field(description="One text per run, as in `runs`.")


class CommonFigures(BaseModel):
    """The main figure of two runs on rows that neither trained on."""

    metric: str
    side: str = Field(description="`test` or `validation`: the side of these rows.")
    num_rows: int
    values: list[float | None] = Field(description="One value per run, as in `runs`.")
    low: float | None = Field(
        description="Lower end of the 95 % interval of the difference, the second run "
        "minus the first."
    )
    high: float | None


class ComparisonRead(BaseModel):
    """A comparison of runs; lists with one item per run have the order of `runs`."""

    runs: list[ComparedRun]
    epoch: list[int]
    curves: dict[str, list[list[float | None]]] = Field(
        description="For each metric, one list per run, aligned with `epoch`; null after "
        "the run's last epoch. If a run has several fits, only the kept fit is included."
    )
    differences: list[Difference] = Field(
        description="Every key whose value differs between the resolved specs."
    )
    different_parts: list[DifferentPart] = Field(
        [],
        description="The differences that can change a figure, one item for a part such "
        "as the optimizer; the seed only if nothing else differs.",
    )
    warnings: list[str] = Field(
        description="Reasons why metrics of these runs may not be comparable."
    )
    advice: str | None = Field(
        None,
        description="How to compare the main figures of runs that were scored on "
        "different rows, if they can be compared.",
    )
    common: CommonFigures | None = Field(
        default=None,
        description="If two runs were scored on different rows: their main figure on "
        "rows that both held out. Null otherwise, if there are no such rows, or if the "
        "table is too large.",
    )
