"""Estimate how far the difference of two versions may be from chance (bootstrap)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.models.scores import Numbers, score
from fitserve.enums import Task

Rows = NDArray[np.int64]
_MOST_DRAWS, _LEAST_DRAWS = 1_000, 200
_WORK = 10_000_000
"""Rows times classes of all draws together, which takes a few seconds."""
_PERCENT = (2.5, 97.5)


class Interval(NamedTuple):
    """The bounds of a 95 % interval."""

    low: float
    high: float


class Scored(NamedTuple):
    """The answers of a version on rows, with the targets and the weights of the rows."""

    task: Task
    y: Numbers
    answers: Numbers
    weights: Numbers | None

    def figure(self, metric: str, rows: Rows) -> float | None:
        """Return a metric on some of the rows, which may repeat; None if undefined."""
        weights = None if self.weights is None else self.weights[rows]
        return score(self.task, metric, self.y[rows], self.answers[rows], weights)


def difference_interval(
    metric: str, new: Scored, old: Scored, groups: NDArray[Any] | None, seed: int
) -> Interval | None:
    """Return the 95 % interval of the paired difference of a metric, new minus old.

    Rows are drawn with replacement, or whole groups where groups are held out. Returns
    None if the metric is undefined.
    """
    every = np.arange(len(new.y))
    if new.figure(metric, every) is None or old.figure(metric, every) is None:
        return None
    found = [
        first - second
        for rows in _draws(every, groups, _num_draws(new), seed)
        if (first := new.figure(metric, rows)) is not None
        and (second := old.figure(metric, rows)) is not None
    ]
    if not found:
        return None
    low, high = np.percentile(found, _PERCENT)
    return Interval(float(low), float(high))


def _num_draws(scored: Scored) -> int:
    return int(np.clip(_WORK // max(1, scored.answers.size), _LEAST_DRAWS, _MOST_DRAWS))


def _draws(
    every: Rows, groups: NDArray[Any] | None, number: int, seed: int
) -> Iterator[Rows]:
    rng = np.random.default_rng(seed)
    if groups is None:
        for _ in range(number):
            yield rng.choice(every, len(every))
        return
    _, place = np.unique(groups, return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(place))[:-1])
    for _ in range(number):
        drawn = rng.integers(0, len(members), len(members))
        yield np.concatenate([members[i] for i in drawn])
