"""List the plots of a report, and return the numbers of each plot."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import PlotNotFound, ReportNotReady
from core.runs.reporting.summary import leading_figure
from fitserve.enums import Task
from fitserve.schemas.report import ClassificationFigures, RegressionFigures, ReportRead

Data = dict[str, Any]
_CLASSES = (Task.BINARY, Task.MULTICLASS)
_ALL = (*_CLASSES, Task.REGRESSION)
_MOST_FEATURES = 20


@dataclass(frozen=True)
class Plot:
    """A plot: the tasks that have it, the part of the report, and its numbers."""

    tasks: tuple[Task, ...]
    part: str
    data: Callable[[ReportRead], Data | None]


def _of_classes(read: Callable[[ClassificationFigures], Data | None]) -> Plot:
    def data(report: ReportRead) -> Data | None:
        return read(report.classification) if report.classification else None

    return Plot(_CLASSES, "classification", data)


def _of_numbers(read: Callable[[RegressionFigures], Data | None]) -> Plot:
    def data(report: ReportRead) -> Data | None:
        return read(report.regression) if report.regression else None

    return Plot((Task.REGRESSION,), "regression", data)


def _confusion(figures: ClassificationFigures) -> Data | None:
    if figures.confusion_matrix is None:
        return None
    labels = [one.label for one in figures.classes]
    return {"labels": labels, "counts": figures.confusion_matrix}


def _roc(figures: ClassificationFigures) -> Data | None:
    curves = [
        {"label": c.label, "x": c.false_positive_rate, "y": c.true_positive_rate}
        for c in figures.curves
    ]
    return {"curves": curves} if curves else None


def _precision_recall(figures: ClassificationFigures) -> Data | None:
    curves = [
        {
            "label": c.label,
            "x": c.recall,
            "y": c.precision,
            "share": c.precision[-1],  # at recall 1, every row is predicted as the class
        }
        for c in figures.curves
    ]
    return {"curves": curves} if curves else None


def _calibration(figures: ClassificationFigures) -> Data | None:
    bins = [bin_.model_dump() for bin_ in figures.calibration]
    return {"bins": bins, "positive_class": figures.positive_class} if bins else None


def _pairs(figures: RegressionFigures) -> Data | None:
    return figures.pairs.model_dump() if figures.pairs else None


def _importance(report: ReportRead) -> Data | None:
    if report.importance is None or not report.importance.features:
        return None
    found = report.importance.model_dump(include={"metric", "features"})
    return {**found, "features": found["features"][:_MOST_FEATURES]}


def _baselines(report: ReportRead) -> Data | None:
    """Return the summary's leading metric, for the network and for each baseline."""
    leading = leading_figure(report.task, report.metrics)
    if leading is None or not report.baselines.results:
        return None
    key, name, value = leading
    models = [{"name": "network", "value": value}]
    models += [
        {"name": b.name, "value": v}
        for b in report.baselines.results
        if (v := b.metrics.get(key)) is not None
    ]
    return {"figure": name, "metric": key, "models": models}


PLOTS: dict[str, Plot] = {
    "confusion_matrix": _of_classes(_confusion),
    "roc": _of_classes(_roc),
    "precision_recall": _of_classes(_precision_recall),
    "calibration": _of_classes(_calibration),
    "actual_vs_predicted": _of_numbers(_pairs),
    "residuals": _of_numbers(_pairs),
    "importance": Plot(_ALL, "importance", _importance),
    "baselines": Plot(_ALL, "baselines", _baselines),
}
"""The plots by their names in URLs, in the order of the report."""


def paths_of(report: ReportRead) -> dict[str, str]:
    """Return the paths of the plots that a report has."""
    return {name: f"/v1/runs/{report.run_id}/report/{name}.svg" for name in _had(report)}


def _had(report: ReportRead) -> list[str]:
    return [name for name, plot in PLOTS.items() if plot.data(report) is not None]


def plot_data(report: ReportRead, name: str) -> Data:
    """Return the numbers of a plot, and a title that names their rows.

    Raises PlotNotFound with the reason, ReportNotReady if the plot may exist soon.
    """
    plot = PLOTS.get(name)
    if plot is None:
        raise PlotNotFound(name, PLOTS, f"Reports have {_listed(list(PLOTS))}.")
    data = plot.data(report)
    if data is None:
        _refuse_early(report, name)
        raise PlotNotFound(name, (), f"{_why(report, name, plot)} {_others(report)}")
    return {**data, "title": _title(report)}


def _refuse_early(report: ReportRead, name: str) -> None:
    if report.status == "pending":
        raise ReportNotReady(
            "The run has not ended, so it has no report yet. Wait for the end with "
            f"`GET /v1/runs/{report.run_id}?wait=30`."
        )
    if name == "baselines" and report.baselines.status == "pending":
        raise ReportNotReady(
            "The worker is training the baselines, for some seconds after the run's end. "
            "Retry soon."
        )


def _why(report: ReportRead, name: str, plot: Plot) -> str:
    if report.task not in plot.tasks:
        tasks = " or ".join(plot.tasks)
        return f"It needs the task {tasks}; the task of this run is {report.task}."
    reasons = {one.part: one.reason for one in report.missing}
    reason = reasons.get(plot.part) or reasons.get("metrics")
    if name == "baselines":
        reason = reason or report.baselines.reason
    return f"The report has no numbers for it: {reason or 'nothing was measured'}."


def _others(report: ReportRead) -> str:
    had = _had(report)
    return f"The report has {_listed(had)}." if had else "The report has no plots."


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _title(report: ReportRead) -> str:
    version = f"{report.model_name} {report.model_version}"
    side = report.held_out
    if side is None:
        return version
    weighted = f", weighted by {side.sample_weight!r}" if side.sample_weight else ""
    return f"{version}, {side.num_scored:,} {side.side} rows{weighted}"
