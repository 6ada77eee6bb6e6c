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
        if self.figure_metric is None:
            return None
        baseline = {"name": self.baseline_name, "value": self.baseline_value}
        return MainFigure.model_validate(
            {
                "metric": self.figure_metric,
                "value": self.figure_value,
                "low": self.figure_low,
                "high": self.figure_high,
                "side": self.figure_side,
                "num_rows": self.figure_rows,
                "baseline": baseline if self.baseline_name is not None else None,
            }
        )


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
