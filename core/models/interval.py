"""Estimate how far the difference of two versions may be from chance."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from core.models.bootstrap import middle, resampled
from core.models.scores import Numbers, score
from fitserve.enums import Task


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

    def figure(self, metric: str) -> float | None:
        """Return a metric; None if it is undefined."""
        return score(self.task, metric, self.y, self.answers, self.weights)


def difference_interval(
    metric: str, new: Scored, old: Scored, groups: NDArray[Any] | None, seed: int
) -> Interval | None:
    """Return the 95 % interval of the paired difference of a metric, new minus old.

    Rows are drawn with replacement, or whole groups where groups are held out. With too
    few rows for that, both bounds are the difference itself. Returns None if the metric
    is undefined.
    """
    first, second = new.figure(metric), old.figure(metric)
    if first is None or second is None:
        return None
    drawn = [resampled(s.task, metric, *s[1:], groups, seed) for s in (new, old)]
    if drawn[0] is None or drawn[1] is None:
        return Interval(first - second, first - second)
    bounds = middle(drawn[0] - drawn[1])
    return None if bounds is None else Interval(*bounds)
