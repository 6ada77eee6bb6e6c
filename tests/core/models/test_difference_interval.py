"""The interval of the difference between two versions."""

import numpy as np
import pytest

from core.models.bootstrap import Interval, deciding_interval, difference_interval
from core.models.requirements import Requirement
from core.models.scores import Scored
from fitserve.enums import Task

RNG = np.random.default_rng(0)
Y = RNG.normal(size=400)


def scored(noise):
    return Scored(Task.REGRESSION, Y, Y + noise * RNG.normal(size=400), None)


GOOD, BAD = scored(0.1), scored(1.0)


def test_the_interval_holds_the_difference_and_repeats():
    """Both networks are scored on the same resamples, so equal ones do not differ."""
    found = difference_interval("rmse", GOOD, BAD, None, 1)
    assert found == difference_interval("rmse", GOOD, BAD, None, 1)
    observed = GOOD.figure("rmse") - BAD.figure("rmse")
    assert found.low < observed < found.high < 0
    assert difference_interval("rmse", GOOD, GOOD, None, 1) == (0, 0)


def test_groups_are_drawn_whole():
    """Rows of one group are alike, so the interval by groups is wider."""
    groups = np.repeat(np.arange(8), 50)
    shift = np.repeat(RNG.normal(size=8), 50)
    alike = Scored(Task.REGRESSION, Y, Y + shift, None)
    by_row = difference_interval("mae", alike, GOOD, None, 1)
    by_group = difference_interval("mae", alike, GOOD, groups, 1)
    assert by_group.high - by_group.low > 3 * (by_row.high - by_row.low)


def test_too_few_rows_have_no_interval_but_decide_a_promotion():
    """The observed difference decides."""
    few = [Scored(Task.REGRESSION, one.y[:4], one.answers[:4]) for one in (GOOD, BAD)]
    assert difference_interval("mae", *few, None, 1) is None
    observed = few[0].figure("mae") - few[1].figure("mae")
    assert deciding_interval("mae", *few, None, 1) == (observed, observed)
    assert difference_interval("mae", GOOD, BAD, np.arange(400) % 4, 1) is None
    found = deciding_interval("mae", GOOD, BAD, None, 1)
    assert found.low < found.high
    assert found == difference_interval("mae", GOOD, BAD, None, 1)


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
    """`>=` is refused only if surely worse; `>` is met only if surely better."""
    required = Requirement("auc", "roc_auc", sign, None)
    intervals = [Interval(-2, -1), Interval(-1, 1), Interval(1, 2)]
    found = [required.is_met_by_difference(interval) for interval in intervals]
    assert found == met
    assert not required.is_met_by_difference(None)
