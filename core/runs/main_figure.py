"""The columns of a main figure, which runs and versions have."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from fitserve.schemas.report import BestBaseline, MainFigure


class MainFigureColumns:
    """The main figure of the report; all columns are null if nothing was measured.

    The figure is written when the run ends, and the baseline when baselines are trained.
    """

    figure_metric: Mapped[str | None] = mapped_column(String(40))
    figure_value: Mapped[float | None]
    figure_low: Mapped[float | None]
    figure_high: Mapped[float | None]
    figure_side: Mapped[str | None] = mapped_column(String(20))
    figure_rows: Mapped[int | None]
    baseline_name: Mapped[str | None] = mapped_column(String(40))
    baseline_value: Mapped[float | None]

    @property
    def main_figure(self) -> MainFigure | None:
        """Return the figure with its interval and its best baseline, if measured."""
        return main_figure_of(self)


FIGURE_COLUMNS = (
    "figure_metric",
    "figure_value",
    "figure_low",
    "figure_high",
    "figure_side",
    "figure_rows",
    "baseline_name",
    "baseline_value",
)


def main_figure_of(row: Any) -> MainFigure | None:
    """Return the main figure of a row with FIGURE_COLUMNS, if one was measured."""
    if row.figure_metric is None:
        return None
    rows = {"side": row.figure_side, "num_rows": row.figure_rows}
    return MainFigure.model_validate(summary_values(row) | rows)


def summary_values(row: Any) -> dict[str, Any]:
    """Return the values of a MainFigureSummary from the columns of a measured figure."""
    baseline = {"name": row.baseline_name, "value": row.baseline_value}
    return {
        "metric": row.figure_metric,
        "value": row.figure_value,
        "low": row.figure_low,
        "high": row.figure_high,
        "baseline": baseline if row.baseline_name is not None else None,
    }


def figure_columns(figure: MainFigure | None) -> dict[str, Any]:
    """Return the columns of a main figure; empty if there is no figure."""
    if figure is None:
        return {}
    return {
        "figure_metric": figure.metric,
        "figure_value": figure.value,
        "figure_low": figure.low,
        "figure_high": figure.high,
        "figure_side": figure.side,
        "figure_rows": figure.num_rows,
        **baseline_columns(figure.baseline),
    }


def baseline_columns(baseline: BestBaseline | None) -> dict[str, Any]:
    """Return the columns of the best baseline; empty without a baseline."""
    if baseline is None:
        return {}
    return {"baseline_name": baseline.name, "baseline_value": baseline.value}
