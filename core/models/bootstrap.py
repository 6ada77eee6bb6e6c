"""Compute intervals of metrics by resampling held-out rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.models.scores import Numbers, scores
from fitserve.enums import Task

_LEVEL = 0.95
_MOST_RESAMPLES, _FEWEST_RESAMPLES = 1_000, 200
_MOST_VALUES = 20_000_000
"""Values drawn for one interval: with more rows or classes, there are fewer resamples."""
_DRAWS_AT_ONCE = 500_000
_FEWEST_UNITS = 5
"""With fewer rows or groups, a bootstrap says nothing."""
_MOST_UNDEFINED = 0.05
"""The share of resamples in which the metric may be undefined."""

Groups = NDArray[np.int64]


def interval(
    task: Task,
    metric: str,
    y: Numbers,
    answers: Numbers,
    weights: Numbers | None,
    groups: Groups | None,
    seed: int,
) -> tuple[float, float] | None:
    """Return the 95 % percentile bootstrap interval of a metric (Efron, 1979).

    Rows are drawn with replacement, or whole groups if `groups` are given (Field and
    Welsh, 2007). A row counts as often as it was drawn, times its weight. The result is
    None where the interval is undefined: fewer than five rows or groups, a metric that
    is undefined in many resamples, or the same figure in all of them.

    Args:
        task: decides how `y` and `answers` are read.
        metric: the name of a metric in `core.models.scores`.
        y: targets `[N]`: values, or indices of classes.
        answers: finite predicted values `[N]`, or probabilities `[N, classes]`.
        weights: the weight of each row, above 0; None stands for weights of 1.
        groups: a number for the group of each row, `[N]`; None if rows are drawn.
        seed: makes the interval reproducible.

    """
    found = resampled(task, metric, y, answers, weights, groups, seed)
    bounds = None if found is None else middle(found)
    if found is None or bounds is None or np.ptp(found[np.isfinite(found)]) == 0:
        return None
    return bounds


def resampled(
    task: Task,
    metric: str,
    y: Numbers,
    answers: Numbers,
    weights: Numbers | None,
    groups: NDArray[Any] | None,
    seed: int,
) -> Numbers | None:
    """Return a metric in each resample; None with fewer than five rows or groups.

    The arguments are those of `interval`. With equal `y`, `groups` and seed, the rows of
    each resample are the same, so that figures of two networks are paired.
    """
    places = None if groups is None else np.unique(groups, return_inverse=True)[1]
    num_units = len(y) if places is None else int(places.max(initial=-1)) + 1
    if num_units < _FEWEST_UNITS:
        return None
    # an area is computed for each class
    num_values = len(y) * (answers.shape[1] if answers.ndim > 1 else 1)
    number = min(_MOST_RESAMPLES, max(_FEWEST_RESAMPLES, _MOST_VALUES // num_values))
    return np.concatenate(
        [
            scores(task, metric, y, answers, _row_weights(counts, places, weights))
            for counts in _resamples(
                num_units, len(y), number, np.random.default_rng(seed)
            )
        ]
    )


def _resamples(
    num_units: int, num_rows: int, left: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield how often each unit was drawn, `[left, num_units]`, in blocks."""
    at_once = max(1, _DRAWS_AT_ONCE // num_rows)
    while left > 0:
        size = min(left, at_once)
        drawn = rng.integers(num_units, size=(size, num_units))
        drawn += num_units * np.arange(size)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=size * num_units)
        yield counts.reshape(size, num_units)
        left -= size


def _row_weights(
    counts: NDArray[np.int64], places: Groups | None, weights: Numbers | None
) -> Numbers:
    """Return the weights of the rows in each resample, `[resamples, N]`."""
    of_rows = counts if places is None else counts[:, places]
    return of_rows.astype(np.float64) if weights is None else of_rows * weights


def middle(found: Numbers) -> tuple[float, float] | None:
    """Return the quantiles between which 95 % of the figures are."""
    defined = found[np.isfinite(found)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(found):
        return None
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
