"""Query runs for lists, without the long columns of a run."""

from typing import Any

from sqlalchemy import Row, Select, func, select

from core.database.base import utc_now
from core.datasets.tables import Dataset
from core.runs.main_figure import summary_values
from core.runs.tables import Run
from fitserve.enums import RunStatus, Task
from fitserve.schemas.report import MainFigureSummary
from fitserve.schemas.runs import RunSummary

_LONGEST_NOTE = 100
_DIGITS = 6

SUMMARY: Select[*tuple[Any, ...]] = select(
    Run.id,
    Run.status,
    Run.model_name,
    Run.model_version,
    Dataset.name.label("dataset_name"),
    Run.target,
    Run.task,
    Run.preset,
    Run.num_seeds,
    Run.num_params,
    Run.num_rows["train"].as_integer().label("num_train_rows"),
    Run.tags,
    func.substr(Run.notes, 1, _LONGEST_NOTE).label("notes"),
    Run.epoch,
    Run.epochs,
    func.coalesce(
        Run.metrics["val_loss"].as_float(), Run.metrics["loss"].as_float()
    ).label("loss"),
    Run.figure_metric,
    Run.figure_value,
    Run.figure_low,
    Run.figure_high,
    Run.baseline_name,
    Run.baseline_value,
    Run.error["title"].as_string().label("error_title"),
    Run.created_at,
    Run.started_at,
    Run.ended_at,
).join(Run.dataset)
"""The query of the rows for `summary_of`."""


def summary_of(row: Row[*tuple[Any, ...]]) -> RunSummary:
    """Convert a row of SUMMARY to its schema."""
    return RunSummary(
        id=row.id,
        status=RunStatus(row.status),
        model_name=row.model_name,
        model_version=row.model_version,
        dataset_name=row.dataset_name,
        target=row.target,
        task=Task(row.task),
        preset=row.preset,
        num_seeds=row.num_seeds,
        num_params=row.num_params,
        num_train_rows=row.num_train_rows or 0,
        tags=row.tags,
        notes=row.notes,
        epoch=row.epoch,
        epochs=row.epochs,
        loss=_rounded(row.loss),
        main_figure=_figure(row),
        error_title=row.error_title,
        seconds=_seconds(row),
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _figure(row: Row[*tuple[Any, ...]]) -> MainFigureSummary | None:
    if row.figure_metric is None:
        return None
    values = summary_values(row)
    if values["baseline"]:
        values["baseline"]["value"] = _rounded(values["baseline"]["value"])
    ends = {name: _rounded(values[name]) for name in ("value", "low", "high")}
    return MainFigureSummary.model_validate(values | ends)


def _seconds(row: Row[*tuple[Any, ...]]) -> float | None:
    if row.started_at is None:
        return None
    until, began = row.ended_at or utc_now(), row.started_at
    seconds: float = (until - began).total_seconds()
    return round(max(0.0, seconds), 3)


def _rounded(value: float | None) -> float | None:
    """Return the value with six digits after the point, or six digits if it is small."""
    if value is None:
        return None
    return round(value, _DIGITS) if abs(value) >= 1 else float(f"{value:.{_DIGITS}g}")
