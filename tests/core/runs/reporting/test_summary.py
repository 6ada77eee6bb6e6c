"""The one-line summary of a report."""

from core.runs.reporting.summary import summary_of
from fitserve.enums import Task
from fitserve.schemas.report import BaselineResult, Figures, HeldOut


def test_a_figure_that_rounds_to_zero_has_no_sign():
    """A score slightly below 0 is shown as 0.00."""
    side = HeldOut.model_construct(side="validation", num_scored=1_600)
    figures = Figures.model_construct(held_out=side, metrics={"r2": -0.001})
    constant = BaselineResult.model_construct(name="constant", metrics={"r2": -0.004})
    linear = BaselineResult.model_construct(name="linear", metrics={"r2": -0.006})
    assert summary_of(Task.REGRESSION, figures, [linear, constant]) == (
        "R² 0.00 on 1,600 validation rows; the mean 0.00, linear -0.01"
    )
