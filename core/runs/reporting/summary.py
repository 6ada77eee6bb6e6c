"""Summarize a report: "R² 0.84 on 480 held-out rows; gradient boosting 0.82"."""

from collections.abc import Sequence

from fitserve.enums import Task
from fitserve.schemas.report import BaselineResult, Figures, Metrics

_HEADLINES = {
    Task.REGRESSION: (("r2", "R²"), ("mae", "MAE")),
    Task.BINARY: (("roc_auc", "ROC AUC"), ("accuracy", "accuracy")),
    Task.MULTICLASS: (("accuracy", "accuracy"),),
}
_NAMES = {
    (True, "constant"): "the mean",
    (False, "constant"): "the majority class",
}


def summary_of(
    task: Task, figures: Figures | None, baselines: Sequence[BaselineResult]
) -> str:
    """Return the leading metric of the network and of its baselines, the best first.

    The text is empty if nothing was measured.
    """
    if figures is None or figures.held_out is None:
        return ""
    found = leading_figure(task, figures.metrics)
    if found is None:
        return ""
    key, name, value = found
    side = figures.held_out
    weighted = f", weighted by {side.sample_weight!r}" if side.sample_weight else ""
    parts = [f"{name} {value:z.2f} on {side.num_scored:,} {side.side} rows{weighted}"]
    rivals = [(b.metrics.get(key), b) for b in baselines]
    known = [(v, b) for v, b in rivals if v is not None]
    known.sort(key=lambda pair: pair[0], reverse=key != "mae")
    others = ", ".join(f"{_name(task, b.name)} {v:z.2f}" for v, b in known)
    return "; ".join([*parts, *([others] if others else [])])


def leading_figure(task: Task, metrics: Metrics) -> tuple[str, str, float] | None:
    """Return key, name and value of the task's first metric that was measured."""
    for key, name in _HEADLINES[task]:
        value = metrics.get(key)
        if value is not None:
            return key, name, value
    return None


def _name(task: Task, baseline: str) -> str:
    known = _NAMES.get((task == Task.REGRESSION, baseline))
    return known or baseline.replace("_", " ")
