"""Convert specs that earlier releases stored to the current schema."""

from typing import Any

from core.runs.planning.compile_spec import resolve_compile
from fitserve.enums import Task
from fitserve.specs.training import CompileSpec

_HIGHEST_RATE = 1e6
_FIT = {"batch_size": 1, "epochs": 0, "seed": 0}
"""The values to use for null, which earlier releases allowed in these keys."""


def upgraded_spec(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a stored spec in the shape of a ResolvedSpec.

    Absent keys (`split`, `report`, `preset`, `fit.num_seeds`, …) have defaults in the
    schema. This function replaces values that the schema no longer accepts.
    """
    parts = {
        "compile": _compile(stored["compile"], Task(stored["task"])),
        "fit": _fit(stored["fit"]),
    }
    return stored | parts


def _compile(stored: dict[str, Any], task: Task) -> Any:
    is_resolved = isinstance(stored["optimizer"], dict) and stored["loss"]
    if is_resolved and stored["metrics"] is not None:
        return stored
    metrics = stored["metrics"] or []
    return resolve_compile(
        CompileSpec.model_validate({**stored, "metrics": metrics}), task
    )


def _fit(stored: dict[str, Any]) -> dict[str, Any]:
    found = {
        key: default if stored.get(key) is None else stored[key]
        for key, default in _FIT.items()
    }
    plateau = stored.get("reduce_lr_on_plateau")
    if plateau is not None:  # the first releases had no upper limit for `min_lr`
        lowest = min(plateau["min_lr"], _HIGHEST_RATE)
        found["reduce_lr_on_plateau"] = {**plateau, "min_lr": lowest}
    return stored | found
