"""The positions of rows and groups: fixed, exact, nested, and equal for equal rows."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runs.planning.positions import ArrivedRows, positions

KEYS = st.integers(0, 2**63 - 1)
SHARES = st.floats(0, 1)
UNITS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=200)


def arrived(units, classes=None, arrivals=None):
    zeros = [0] * len(units)
    return ArrivedRows(
        np.array(units, np.uint64),
        np.array(classes or zeros),
        np.array(arrivals or zeros),
    )


@st.composite
def tables(draw, most=2**64 - 1, num_classes=4):
    """Return units, classes and rising arrivals of rows."""
    units = draw(st.lists(st.integers(0, most), min_size=1, max_size=200))
    numbers = st.lists(
        st.integers(0, num_classes - 1), min_size=len(units), max_size=len(units)
    )
    return units, draw(numbers), sorted(draw(numbers))


def test_positions_never_change():
    """Runs of later releases must hold out the same rows."""
    found = positions(arrived([1, 2, 3, 4, 4, 5], arrivals=[0, 0, 0, 0, 0, 1]), 7)
    expected = [
        0.9999999999999999,
        0.0,
        0.708950797216564,
        0.3109232950777243,
        0.3109232950777243,
        0.023412822629815144,
    ]
    assert found.tolist() == expected


@given(tables(), KEYS, SHARES)
def test_shares_are_exact_in_each_arrival_and_class(table, key, share):
    """If no rows are equal, each share is exact to one row."""
    units, classes, arrivals = table
    units = list(dict.fromkeys(units))
    rows = arrived(units, classes[: len(units)], arrivals[: len(units)])
    found = positions(rows, key)
    assert found.min() >= 0
    assert found.max() < 1
    strata = rows.arrivals * 10 + rows.classes
    for stratum in np.unique(strata):
        own = found[strata == stratum]
        assert abs((own < share).sum() - share * len(own)) <= 1
        assert abs((own >= 1 - share).sum() - share * len(own)) <= 1


@given(tables(most=20), KEYS)
def test_equal_rows_have_one_position(table, key):
    """That holds across classes and arrivals."""
    units, classes, arrivals = table
    found = positions(arrived(units, classes, arrivals), key)
    for unit in set(units):
        assert len(set(found[np.array(units) == unit].tolist())) == 1


@given(tables(most=200), KEYS, st.integers(0, 3))
def test_later_arrivals_move_no_row(table, key, last):
    """Rows and groups keep their positions, whatever arrives."""
    units, classes, arrivals = table
    found = positions(arrived(units, classes, arrivals), key)
    num = sum(arrival <= last for arrival in arrivals)
    before = positions(arrived(units[:num], classes[:num], arrivals[:num]), key)
    assert np.array_equal(found[:num], before)


@given(tables(most=200), KEYS)
def test_the_order_within_an_arrival_does_not_matter(table, key):
    units, classes, _ = table
    classes = [unit % 3 for unit in units]
    found = positions(arrived(units, classes), key)
    backwards = positions(arrived(units[::-1], classes[::-1]), key)
    assert np.array_equal(found, backwards[::-1])


@given(KEYS)
def test_other_keys_hold_out_other_rows(key):
    units = np.random.default_rng(0).integers(0, 2**63, 500).tolist()
    one, two = (positions(arrived(units), k) < 0.2 for k in (key, key + 1))
    assert 5 <= (one & two).sum() <= 40


def test_single_rows_that_arrive_alone_are_spread_evenly():
    units = np.random.default_rng(0).integers(0, 2**63, 3_000).tolist()
    found = positions(arrived(units, arrivals=list(range(3_000))), 1)
    counts, _ = np.histogram(found, 10, (0, 1))
    assert min(counts) > 240
    assert max(counts) < 360


def test_few_groups_that_arrive_later_are_spread_evenly():
    """A single new group is not always held out."""
    units = np.repeat(np.random.default_rng(0).integers(0, 2**63, 1_000), 5).tolist()
    arrivals = np.repeat(np.arange(1_000), 5).tolist()
    found = positions(arrived(units, arrivals=arrivals), 1)[::5]
    assert 150 <= (found < 0.2).sum() <= 250


@given(st.lists(st.integers(1, 50), min_size=3, max_size=30), KEYS, st.floats(0.001, 0.3))
def test_a_share_above_0_gets_a_group(sizes, key, share):
    """The first group is at 0, and the last group is just below 1."""
    units = [group for group, size in enumerate(sizes) for _ in range(size)]
    found = positions(arrived(units), key)
    assert (found <= max(share, 1 / len(units))).any()
    assert (found >= 1 - max(share, 1 / len(units))).any()


@given(KEYS, st.integers(25, 300))
def test_a_group_larger_than_the_shares_is_for_training(key, size):
    """Groups that fit the shares are held out in its place."""
    units = [0] * size + list(np.repeat(np.arange(1, 11), 5))
    share = min(0.2, 50 / (size + 50) / 2 - 0.01)
    found = positions(arrived(units), key)
    assert share <= found[0] < 1 - share


@given(KEYS)
def test_groups_are_near_the_shares(key):
    sizes = np.random.default_rng(key % 1000).integers(1, 40, 60)
    units = np.repeat(np.arange(60), sizes).tolist()
    found = positions(arrived(units), key)
    for share in (0.1, 0.2, 0.5):
        for held in (found < share, found >= 1 - share):
            assert abs(held.mean() - share) <= sizes.max() / sizes.sum()


@given(st.lists(SHARES, min_size=2, max_size=5), KEYS, UNITS)
def test_larger_shares_contain_smaller_ones(shares, key, units):
    found = positions(arrived(units), key)
    for small, large in pairwise(sorted(shares)):
        assert not ((found < small) & ~(found < large)).any()
        assert not ((found >= 1 - small) & ~(found >= 1 - large)).any()


@pytest.mark.parametrize(("num_rows", "num_classes"), [(5, 1), (8, 2), (12, 3), (20, 10)])
def test_a_small_table_has_a_row_for_every_share(num_rows, num_classes):
    """For every key, a row is at 0 and another one just below 1."""
    rng = np.random.default_rng(0)
    classes = np.arange(num_rows) % num_classes
    for key in range(50):
        units = rng.integers(0, 2**63, num_rows).astype(np.uint64)
        rows = ArrivedRows(units, classes, np.zeros(num_rows, np.int64))
        found = positions(rows, key)
        assert found.min() == 0
        assert found.max() > 0.999
        assert np.sum(found >= 0.9) <= 1 + num_rows * 0.1 + num_classes
