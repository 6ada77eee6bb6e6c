"""Sentences say which of two main figures is better."""

import pytest

from fitserve.figure_change import common_difference, figures_direction, overlap_text
from fitserve.schemas.comparison import CommonFigures
from tests.fitserve.test_main_figure import figure


@pytest.mark.parametrize(
    ("new", "old", "word", "overlap"),
    [
        ({"value": 0.7, "low": 0.65, "high": 0.75}, {}, "worse", "the intervals do not overlap"),
        ({"value": 0.9, "low": 0.87, "high": 0.93}, {}, "better", "the intervals overlap"),
        ({"value": 0.872}, {}, "level", "the intervals overlap"),
        ({"value": 0.9, "low": None, "high": None}, {}, "better", ""),
        ({"metric": "mae", "value": 2.0}, {"metric": "mae", "value": 3.0}, "better",
         "the intervals overlap"),
    ],
)  # fmt: skip
def test_a_figure_is_better_worse_or_level(new, old, word, overlap):
    """A smaller MAE is better; figures that are written alike are level."""
    pair = figure(**new), figure(**old)
    assert (figures_direction(*pair), overlap_text(*pair)) == (word, overlap)


def common(values, low=None, high=None, metric="roc_auc"):
    facts = {"metric": metric, "side": "test", "num_rows": 60, "values": values}
    return CommonFigures.model_validate({**facts, "low": low, "high": high})


def test_a_difference_has_a_value_an_interval_and_a_direction():
    """It is the second figure minus the first."""
    assert (
        common_difference(common([0.5, 0.25], -0.3, -0.2))
        == "-0.25 (-0.3 to -0.2): worse"
    )
    assert common_difference(common([0.5, 0.25], -0.3, -0.2, "mae")).endswith(": better")
    unclear = common_difference(common([0.5, 0.25], -0.6, 0.1))
    assert unclear == "-0.25 (-0.6 to 0.1): no clear difference"
    assert common_difference(common([0.25, 0.5])) == "0.25: better"
    assert common_difference(common([None, 0.5])) is None
