"""Summarize a report: "R² 0.84 (0.81–0.87) on 480 test rows; gradient boosting 0.82"."""

from collections.abc import Sequence

from fitserve.enums import Task
from fitserve.main_figure import (
    baseline_text,
    figure_on_rows,
    main_metric,
    ranked_baselines,
)
from fitserve.metric_names import metric_title
from fitserve.schemas.report import BaselineResult, Figures, MainFigure, Metrics


def summary_of(
    task: Task, figures: Figures | None, baselines: Sequence[BaselineResult]
) -> str:
    """Return the main figure of the network and of its baselines, the best first.

    The text is empty if nothing was measured.
    """
    if figures is None or figures.held_out is None:
        return ""
    figure = figures.main_figure or _without_interval(task, figures)
    if figure is None:
        return ""
    side = figures.held_out
    weighted = f", weighted by {side.sample_weight!r}" if side.sample_weight else ""
    ranked = ranked_baselines(figure.metric, baselines)
    others = ", ".join(baseline_text(figure, baseline) for baseline in ranked)
    return "; ".join([figure_on_rows(figure, weighted), *([others] if others else [])])


def _without_interval(task: Task, figures: Figures) -> MainFigure | None:
    """Return the main figure of a report of an older release, which stored none."""
    found, side = leading_figure(task, figures.metrics), figures.held_out
    if found is None or side is None:
        return None
    metric, _, value = found
    return MainFigure(
        metric=metric,
        value=value,
        low=None,
        high=None,
        side=side.side,
        num_rows=side.num_scored,
    )


def leading_figure(task: Task, metrics: Metrics) -> tuple[str, str, float] | None:
    """Return key, title and value of the task's main metric, if it was measured."""
    name = main_metric(task, metrics)
    value = metrics[name] if name is not None else None
    if name is None or value is None:
        return None
    return name, metric_title(name), value
