"""Intervals of the difference of two versions."""

import numpy as np
import pytest

from core.models.interval import Interval, Scored, difference_interval
from core.models.requirements import Requirement
from fitserve.enums import Task

RNG = np.random.default_rng(0)
Y = RNG.normal(size=400)


def scored(noise):
    return Scored(Task.REGRESSION, Y, Y + noise * RNG.normal(size=400), None)


GOOD, BAD = scored(0.1), scored(1.0)


def test_the_interval_holds_the_difference_and_repeats():
    """A seed gives one interval; the rows of both networks are paired."""
    found = difference_interval("rmse", GOOD, BAD, None, 1)
    assert found == difference_interval("rmse", GOOD, BAD, None, 1)
    observed = GOOD.figure("rmse") - BAD.figure("rmse")
    assert found.low < observed < found.high < 0
    assert difference_interval("rmse", GOOD, GOOD, None, 1) == (0, 0)


def test_groups_are_drawn_whole():
    """Rows of one group are alike, so that the interval is wider."""
    groups = np.repeat(np.arange(8), 50)
    shift = np.repeat(RNG.normal(size=8), 50)
    alike = Scored(Task.REGRESSION, Y, Y + shift, None)
    by_row = difference_interval("mae", alike, GOOD, None, 1)
    by_group = difference_interval("mae", alike, GOOD, groups, 1)
    assert by_group.high - by_group.low > 3 * (by_row.high - by_row.low)


@pytest.mark.parametrize(
    ("sign", "met"),
    [
        (">=", [False, True, True]),
        (">", [False, False, True]),
        ("<=", [True, True, False]),
        ("<", [True, False, False]),
    ],
)
def test_a_requirement_reads_the_whole_interval(sign, met):
    """Not worse is refused only if surely worse; better must be surely better."""
    required = Requirement("auc", "roc_auc", sign, None)
    intervals = [Interval(-2, -1), Interval(-1, 1), Interval(1, 2)]
    assert [required.is_met_by(interval) for interval in intervals] == met
    assert not required.is_met_by(None)
