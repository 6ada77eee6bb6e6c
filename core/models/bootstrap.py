"""Compute intervals of metrics, and of their differences, by resampling held-out rows."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.models.scores import Numbers, Scored, scores

_LEVEL = 0.95
_MOST_RESAMPLES, _FEWEST_RESAMPLES = 1_000, 200
_MOST_VALUES = 20_000_000
"""Values drawn for one interval: with more rows or classes, there are fewer resamples."""
_DRAWS_AT_ONCE = 500_000
_FEWEST_UNITS = 5
"""The fewest rows or groups from which an interval is computed."""
_MOST_UNDEFINED = 0.05
"""The share of resamples in which the metric may be undefined."""

Groups = NDArray[Any]
"""The group of each row, `[N]`."""


class Interval(NamedTuple):
    """The bounds of a 95 % interval."""

    low: float
    high: float


def figure_interval(
    metric: str, scored: Scored, groups: Groups | None, seed: int
) -> Interval | None:
    """Return the 95 % percentile bootstrap interval of a metric (Efron, 1979).

    Rows are drawn with replacement, or whole groups if `groups` are given (Field and
    Welsh, 2007). A row counts as often as it was drawn, times its weight. The result is
    None where the interval is undefined: fewer than five rows or groups, a metric that
    is undefined in many resamples, or the same figure in all of them.

    Args:
        metric: the name of a metric in `core.models.scores`.
        scored: the rows; all answers are finite.
        groups: the group of each row; None to draw single rows.
        seed: makes the interval reproducible.

    """
    found = _resampled(metric, scored, groups, seed)
    bounds = None if found is None else _middle(found)
    if found is None or bounds is None or np.ptp(found[np.isfinite(found)]) == 0:
        return None
    return bounds


def difference_interval(
    metric: str, new: Scored, old: Scored, groups: Groups | None, seed: int
) -> Interval | None:
    """Return the 95 % interval of the difference of a metric on the same rows, new - old.

    Rows, or whole groups if `groups` are given, are drawn as in `figure_interval`.
    Returns None with fewer than five of them, or if the metric is undefined.
    """
    if _difference(metric, new, old) is None:
        return None
    drawn = [_resampled(metric, scored, groups, seed) for scored in (new, old)]
    if drawn[0] is None or drawn[1] is None:
        return None
    return _middle(drawn[0] - drawn[1])


def deciding_interval(
    metric: str, new: Scored, old: Scored, groups: Groups | None, seed: int
) -> Interval | None:
    """Return the interval of the difference by which a promotion is decided.

    With too few rows or groups for an interval, both bounds are the difference itself.
    """
    if _num_units(new, groups) >= _FEWEST_UNITS:
        return difference_interval(metric, new, old, groups, seed)
    difference = _difference(metric, new, old)
    return None if difference is None else Interval(difference, difference)


def _difference(metric: str, new: Scored, old: Scored) -> float | None:
    first, second = new.figure(metric), old.figure(metric)
    return None if first is None or second is None else first - second


def _num_units(scored: Scored, groups: Groups | None) -> int:
    """Return the number of rows, or of groups, that are drawn."""
    return len(scored.y) if groups is None else len(np.unique(groups))


def _resampled(
    metric: str, scored: Scored, groups: Groups | None, seed: int
) -> Numbers | None:
    """Return a metric in each resample; None with fewer than five rows or groups.

    With equal targets, groups and seed, the rows of each resample are the same, so that
    the figures of two networks are paired.
    """
    task, y, answers, weights = scored
    places = None if groups is None else np.unique(groups, return_inverse=True)[1]
    num_units = _num_units(scored, groups)
    if num_units < _FEWEST_UNITS:
        return None
    resamples = _resamples(num_units, len(y), _num_resamples(answers), seed)
    return np.concatenate(
        [
            scores(task, metric, y, answers, _row_weights(counts, places, weights))
            for counts in resamples
        ]
    )


def _num_resamples(answers: Numbers) -> int:
    """Return how many resamples are affordable; an area is computed for each class."""
    return min(_MOST_RESAMPLES, max(_FEWEST_RESAMPLES, _MOST_VALUES // answers.size))


def _resamples(
    num_units: int, num_rows: int, left: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Yield how often each row or group was drawn, in blocks `[resamples, num_units]`."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _DRAWS_AT_ONCE // num_rows)
    while left > 0:
        size = min(left, at_once)
        drawn = rng.integers(num_units, size=(size, num_units))
        drawn += num_units * np.arange(size)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=size * num_units)
        yield counts.reshape(size, num_units)
        left -= size


def _row_weights(
    counts: NDArray[np.int64], places: NDArray[np.int64] | None, weights: Numbers | None
) -> Numbers:
    """Return the weights of the rows in each resample, `[resamples, N]`.

    `places` has the index of the group of each row.
    """
    of_rows = counts if places is None else counts[:, places]
    return of_rows.astype(np.float64) if weights is None else of_rows * weights


def _middle(found: Numbers) -> Interval | None:
    """Return the interval in the middle that holds 95 % of the figures."""
    defined = found[np.isfinite(found)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(found):
        return None
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))
