"""Runs side by side on the wire."""

from typing import Any

from pydantic import BaseModel, Field

from fitserve.enums import RunStatus, StopReason, Task
from fitserve.schemas.report import Headline
from fitserve.schemas.runs import DatasetRef


class ComparedRun(BaseModel):
    """A run as a column of the comparison."""

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
        description="In the curve, which is that of the kept fit where there are several."
    )
    kept_fit: int | None = Field(
        description="Which fit the curve is of, from 1; null where there is one."
    )
    fit_seconds: float
    metrics: dict[str, float | None] = Field(
        description="Every metric at the epoch whose weights were kept."
    )
    headline: Headline | None = Field(
        description="The report's figures on held-out rows; null where it has none."
    )


class Difference(BaseModel):
    """A place in the specs where not all runs have the same."""

    pointer: str
    values: list[Any] = Field(
        description="One a run, in order; null also where a spec has no such place."
    )


class ComparisonRead(BaseModel):
    """Runs side by side; every list of runs is in the order of `runs`."""

    runs: list[ComparedRun]
    epoch: list[int]
    curves: dict[str, list[list[float | None]]] = Field(
        description="By metric, one list a run, aligned with `epoch`; null behind a "
        "run's last epoch. Of a run of several seeds, the kept fit's epochs alone."
    )
    differences: list[Difference]
    warnings: list[str] = Field(
        description="Why figures of these runs may not be comparable."
    )
