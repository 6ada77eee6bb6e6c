"""Query runs for lists, without the long columns of a run."""

from typing import Any

from sqlalchemy import BigInteger, Row, Select, cast, func, select

from core.database.base import utc_now
from core.datasets.tables import Dataset
from core.runs.main_figure import summary_values
from core.runs.tables import Run
from fitserve.enums import RunStatus
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
    cast(Run.num_rows["train"].as_string(), BigInteger).label("num_train_rows"),
    Run.tags,
    func.substr(Run.notes, 1, _LONGEST_NOTE).label("notes"),
    Run.epoch,
    Run.epochs,
    Run.metrics,
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
    computed = {
        "num_train_rows": row.num_train_rows or 0,
        "loss": _loss(row.metrics),
        "main_figure": _figure(row),
        "seconds": _seconds(row),
    }
    return RunSummary.model_validate(row._asdict() | computed)


def _figure(row: Row[*tuple[Any, ...]]) -> MainFigureSummary | None:
    if row.figure_metric is None:
        return None
    values = summary_values(row)
    if values["baseline"]:
        values["baseline"]["value"] = _rounded(values["baseline"]["value"])
    ends = {name: _rounded(values[name]) for name in ("value", "low", "high")}
    return MainFigureSummary.model_validate(values | ends)


def _loss(metrics: dict[str, float | None]) -> float | None:
    """Return the loss on validation rows, if there are any. A loss of NaN is None."""
    return _rounded(metrics.get("val_loss", metrics.get("loss")))


def _seconds(row: Row[*tuple[Any, ...]]) -> float | None:
    if row.started_at is None or row.status == RunStatus.QUEUED:
        return None
    until, began = row.ended_at or utc_now(), row.started_at
    seconds: float = (until - began).total_seconds()
    return round(max(0.0, seconds), 3)


def _rounded(value: float | None) -> float | None:
    """Round to six decimals, or to six significant digits below 1."""
    if value is None:
        return None
    return round(value, _DIGITS) if abs(value) >= 1 else float(f"{value:.{_DIGITS}g}")
