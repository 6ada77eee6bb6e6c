"""Build bodies as the service sends them, validated by the schemas."""

from typing import Any

from fitserve.schemas.datasets import DatasetRead
from fitserve.schemas.models import ModelRead, VersionRead
from fitserve.schemas.report import ReportRead
from fitserve.schemas.runs import RunRead, RunSummary

NOW = "2026-11-23T17:00:00Z"


def dataset(**changes: Any) -> dict[str, Any]:
    body = {
        "id": "ds_1",
        "name": "wine",
        "status": "ready",
        "progress": 1.0,
        "error": None,
        "digest": "sha256:00",
        "filename": "wine.csv",
        "num_bytes": 10,
        "num_rows": 3,
        "columns": [
            {
                "name": "alcohol",
                "type": "numeric",
                "format": {},
                "missing": 0,
                "unique": 3,
                "min": 9.0,
                "max": 14.0,
                "mean": 11.5,
                "top": [],
                "left_out": None,
                "warnings": [],
            }
        ],
        "parsing": {"separator": ","},
        "warnings": [],
        "created_at": NOW,
        **changes,
    }
    return DatasetRead.model_validate(body).model_dump(mode="json")


def preview(**changes: Any) -> dict[str, Any]:
    rows = {"columns": ["alcohol"], "data": [[9.5]], "offset": 0, "total": 1}
    return {
        "columns": dataset()["columns"],
        "parsing": {"delimiter": ","},
        "warnings": ["a warning"],
        "rows": rows,
        "is_complete": False,
        **changes,
    }


def main_figure(**changes: Any) -> dict[str, Any]:
    return {
        "metric": "r2",
        "value": 0.8412,
        "low": 0.8,
        "high": 0.88,
        "side": "validation",
        "num_rows": 480,
        "baseline": {"name": "linear", "value": 0.6132},
        **changes,
    }


def run(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    is_done = status == "succeeded"
    body = {
        "id": "run_1",
        "status": status,
        "stop_reason": "early_stopping" if is_done else None,
        "model_name": "wine",
        "model_version": 2 if is_done else None,
        "dataset": {"id": "ds_1", "name": "wine", "digest": "sha256:00"},
        "target": "quality",
        "task": "regression",
        "spec": {},
        "num_params": 9,
        "num_rows": {"train": 2, "validation": 1},
        "tags": {},
        "progress": {"epoch": 3 if is_done else 0, "epochs": 5, "eta_seconds": None},
        "best_epoch": 2 if is_done else None,
        "metrics": {"loss": 0.25, "val_loss": 0.5} if is_done else {},
        "warnings": [],
        "error": None,
        "attempt": 1,
        "created_at": NOW,
        "started_at": None,
        "ended_at": None,
        **changes,
    }
    return RunRead.model_validate(body).model_dump(mode="json")


def run_summary(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    is_done = status == "succeeded"
    body = {
        "id": "run_1",
        "status": status,
        "model_name": "wine",
        "model_version": 2 if is_done else None,
        "dataset_name": "wine",
        "target": "quality",
        "task": "regression",
        "num_seeds": 1,
        "num_params": 9,
        "num_train_rows": 2,
        "tags": {},
        "epoch": 3 if is_done else 0,
        "epochs": 5,
        "loss": 0.5 if is_done else None,
        "main_figure": None,
        "seconds": None,
        "created_at": NOW,
        "ended_at": None,
        **changes,
    }
    return RunSummary.model_validate(body).model_dump(mode="json")


def failed_run() -> dict[str, Any]:
    error = {
        "type": "/problems/nan-loss",
        "title": "NaN loss",
        "status": 422,
        "detail": "The loss became NaN in epoch 4.",
    }
    return run("failed", error=error)


def report(**changes: Any) -> dict[str, Any]:
    metrics = {"r2": 0.84, "mae": 0.3, "rmse": 0.4, "median_absolute_error": 0.2}
    body = {
        "run_id": "run_1",
        "status": "ready",
        "model_name": "wine",
        "model_version": 2,
        "task": "regression",
        "target": "quality",
        "summary": "R² 0.84 on 480 validation rows; linear 0.61",
        "num_params": 9,
        "num_rows": {"train": 2, "validation": 1},
        "fit_seconds": 1.0,
        "report_seconds": 0.1,
        "held_out": {"side": "validation", "num_rows": 480, "num_scored": 480},
        "metrics": metrics,
        "training_metrics": metrics,
        "reasons": {},
        "regression": {"residual_quantiles": []},
        "classification": None,
        "baselines": baselines("ready"),
        "importance": None,
        "traps": [
            {"kind": "drift", "sentence": "it moved", "columns": ["a"], "numbers": {}}
        ],
        "reading": {
            "word": "still_improving",
            "sentence": "It still fell.",
            "numbers": {"epochs": 3},
            "advice": "Try more epochs.",
            "next_spec": {"target": "quality"},
        },
        "missing": [],
        **changes,
    }
    return ReportRead.model_validate(body).model_dump(mode="json")


def baselines(status: str) -> dict[str, Any]:
    return {"status": status, "reason": None, "seconds": None, "results": []}


def epoch(number: int, **changes: Any) -> dict[str, Any]:
    metrics = {"loss": 1 / number, "val_loss": 2 / number}
    return {
        "epoch": number,
        "epochs": 5,
        "metrics": metrics,
        "eta_seconds": 1.5,
        **changes,
    }


def history(num_epochs: int) -> dict[str, Any]:
    numbers = list(range(1, num_epochs + 1))
    return {"epoch": numbers, "history": {"loss": [1 / n for n in numbers]}}


def change(number: int = 2, **changes: Any) -> dict[str, Any]:
    return {
        "number": number,
        "alias": None,
        "before": 2,
        "after": 1,
        "who": "key 1",
        "why": "undo",
        "undoes": 1,
        "created_at": NOW,
        **changes,
    }


def version(number: int = 2, **changes: Any) -> dict[str, Any]:
    body = {
        "model_name": "wine",
        "version": number,
        "run_id": "run_1",
        "task": "regression",
        "target": "quality",
        "aliases": ["production"],
        "serves": False,
        "metrics": {"loss": 0.0, "val_loss": None},
        "headline": None,
        "best_epoch": 2,
        "num_params": 9,
        "layers": [],
        "signature": {},
        "artifacts": [],
        "created_at": NOW,
        **changes,
    }
    return VersionRead.model_validate(body).model_dump(mode="json")


def model(name: str = "wine", **changes: Any) -> dict[str, Any]:
    body = {
        "name": name,
        "serving_version": 1,
        "promotion": "automatic",
        "follows_newest": False,
        "latest_version": 2,
        "versions": [2, 1],
        "aliases": {"production": 1},
        "headline": None,
        "created_at": NOW,
        **changes,
    }
    return ModelRead.model_validate(body).model_dump(mode="json")


def page(*items: Any, cursor: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next_cursor": cursor}
