"""Choose the main figure of a task, and write it: "ROC AUC 0.87 (0.85–0.89)".

`dashboard/static/modules/format.js` has the same rule; a test compares both.
"""

from collections.abc import Sequence

from fitserve.baseline_titles import baseline_title
from fitserve.enums import Task
from fitserve.metric_names import metric_title
from fitserve.number_text import fixed_text, number_text, rows_text
from fitserve.schemas.report import (
    BaselineResult,
    BestBaseline,
    MainFigure,
    MainFigureSummary,
    Metrics,
)

_MAIN = {
    Task.REGRESSION: ("r2", "mae"),
    Task.BINARY: ("roc_auc", "accuracy"),
    Task.MULTICLASS: ("accuracy",),
}
"""The metrics of each task: the main figure is the first one that is defined."""
_LESS_IS_BETTER = ("mae",)
_OF_ANY_SIZE = ("mae",)
_DECIMALS = (2, 3, 4)


def main_metric(task: Task, metrics: Metrics) -> str | None:
    """Return the name of the main metric; None if no metric of the task is defined."""
    return next((name for name in _MAIN[task] if metrics.get(name) is not None), None)


def is_less_better(metric: str) -> bool:
    """Return whether the smaller of two values of a main metric is better."""
    return metric in _LESS_IS_BETTER


def ranked_baselines(
    metric: str, baselines: Sequence[BaselineResult]
) -> list[BestBaseline]:
    """Return the baselines by a main metric, the best first; leave out undefined ones."""
    known = [
        BestBaseline(name=baseline.name, value=value)
        for baseline in baselines
        if (value := baseline.metrics.get(metric)) is not None
    ]
    is_falling = not is_less_better(metric)
    return sorted(known, key=lambda one: one.value, reverse=is_falling)


def best_baseline(
    figure: MainFigure | None, baselines: Sequence[BaselineResult]
) -> BestBaseline | None:
    """Return the best baseline by the metric of the figure; None without a baseline."""
    ranked = ranked_baselines(figure.metric, baselines) if figure else []
    return next(iter(ranked), None)


def is_perfect(figure: MainFigure | None) -> bool:
    """Return whether a figure is written as 1.00, which no model can surpass."""
    if figure is None or figure.metric in _OF_ANY_SIZE:
        return False
    return float(_shown(figure.value, figure)) == 1.0


def figure_text(figure: MainFigureSummary) -> str:
    """Return the metric, its value and its interval: `ROC AUC 0.87 (0.85–0.89)`."""
    return f"{metric_title(figure.metric)} {_shown(figure.value, figure)}{_range(figure)}"


def baseline_text(figure: MainFigureSummary, baseline: BestBaseline) -> str:
    """Return a baseline and its value, as precise as the figure: `linear 0.84`."""
    name = baseline_title(baseline.name, figure.metric)
    return f"{name} {_shown(baseline.value, figure)}"


def best_text(figure: MainFigureSummary) -> str | None:
    """Return the figure's best baseline and its value; None without a baseline."""
    return baseline_text(figure, figure.baseline) if figure.baseline else None


def figure_sentence(figure: MainFigure) -> str:
    """Return the figure, its rows and its best baseline, as a report's summary begins."""
    best = best_text(figure)
    return f"{figure_on_rows(figure)}{f'; {best}' if best else ''}"


def figure_on_rows(figure: MainFigure, weighted: str = "") -> str:
    """Return the figure and its rows: `ROC AUC 0.87 (0.85–0.89) on 400 test rows`."""
    rows = rows_text(figure.num_rows, figure.side)
    return f"{figure_text(figure)} on {rows}{weighted}"


def _range(figure: MainFigureSummary) -> str:
    if figure.low is None or figure.high is None:
        return ""
    dash = "–" if figure.low >= 0 else " to "
    return f" ({_shown(figure.low, figure)}{dash}{_shown(figure.high, figure)})"


def _shown(value: float, figure: MainFigureSummary) -> str:
    if figure.metric in _OF_ANY_SIZE:
        return number_text(value)
    return fixed_text(value, _decimals(figure))


def _decimals(figure: MainFigureSummary) -> int:
    """Return the fewest decimals that show the ends of the interval as different."""
    if figure.low is None or figure.high is None:
        return _DECIMALS[0]
    low, high = figure.low, figure.high
    distinct = (n for n in _DECIMALS if fixed_text(low, n) != fixed_text(high, n))
    return next(distinct, _DECIMALS[-1])
