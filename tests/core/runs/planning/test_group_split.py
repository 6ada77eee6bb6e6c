"""Whole groups are held out, with the share of rows that is nearest to the wanted one."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidSpec
from core.runs.planning.group_split import choose_groups

SIZES = st.lists(st.integers(1, 30), min_size=2, max_size=9)


def rows_of(sizes, shares, seed=0):
    """Return the rows of each share, and those of training."""
    sizes = np.array(sizes)
    chosen = choose_groups(sizes, shares, np.random.default_rng(seed))
    return [int(sizes[chosen == part].sum()) for part in (*range(len(shares)), -1)]


@given(SIZES, st.floats(0.01, 0.5), st.integers(0, 50))
def test_no_other_groups_are_nearer(sizes, share, seed):
    """Every choice that leaves a group for training is compared."""
    (held_out, _) = rows_of(sizes, (share,), seed)
    wanted = min(share * sum(sizes), sum(sizes) - max(sizes))
    sums = [sum(c) for n in range(1, len(sizes)) for c in combinations(sizes, n)]
    assert abs(held_out - wanted) == pytest.approx(min(abs(s - wanted) for s in sums))


@given(SIZES.filter(lambda sizes: len(sizes) > 2), st.integers(0, 50))
def test_every_part_gets_a_group(sizes, seed):
    """Also if one group has nearly all rows."""
    assert min(rows_of([*sizes, 1_000], (0.2, 0.1), seed)) > 0


@pytest.mark.parametrize("num_groups", [900, 30_000])
def test_shares_of_many_groups_are_exact(num_groups):
    """The share of random groups is within a thousandth."""
    sizes = np.random.default_rng(1).integers(1, 500, num_groups)
    test, validation, _ = rows_of(sizes, (0.1, 0.2))
    assert test == pytest.approx(0.1 * sizes.sum(), rel=2e-3)
    assert validation == pytest.approx(0.2 * sizes.sum(), rel=2e-3)


def test_the_seed_decides_among_equal_groups():
    """One seed always chooses the same groups; another seed chooses others."""
    sizes = np.ones(100, np.int64)
    draws = [choose_groups(sizes, (0.2,), np.random.default_rng(s)) for s in (1, 1, 2)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_too_few_groups_are_refused_with_their_number():
    """Two groups can be trained and validated on, but not tested on as well."""
    assert rows_of([60, 60], (0.0, 0.2)) == [0, 60, 60]
    with pytest.raises(InvalidSpec, match="the column has 2 group") as refused:
        rows_of([60, 60], (0.2, 0.2))
    assert "split by a column of more groups" in (refused.value.errors[0].hint or "")
