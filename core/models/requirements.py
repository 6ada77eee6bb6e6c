"""Parse requirements: `{"roc_auc": ">= current", "log_loss": "<= 0.3"}`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt

from core.errors import Invalid, InvalidRequirement, raise_any
from core.models.bootstrap import Interval
from core.models.scores import CLASSIFICATION, REGRESSION
from fitserve.enums import Task
from fitserve.metric_names import metric_key
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer

CURRENT = "current"
_NUMBER = r"[-+]?\d{1,18}(?:\.\d{1,18})?"
_FORM = re.compile(rf"\s*(>=|<=|>|<)\s*(current|{_NUMBER})\s*", re.ASCII)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": ge,
    "<=": le,
    ">": gt,
    "<": lt,
}


@dataclass(frozen=True)
class Requirement:
    """A bound on a metric: a number, or the metric of the current version."""

    key: str
    metric: str
    sign: str
    limit: float | None
    """The number; None for the metric of the current version."""

    @property
    def is_relative(self) -> bool:
        """Return whether the bound is the metric of the current version."""
        return self.limit is None

    def is_met_by_difference(self, difference: Interval | None) -> bool:
        """Return whether the interval of new minus current meets a relative bound.

        `>=` and `<=` fail only if the whole interval is on the worse side; `>` and `<`
        need the whole interval on the better side.
        """
        if difference is None:
            return False
        low, high = difference
        met = {">=": high >= 0, "<=": low <= 0, ">": low > 0, "<": high < 0}
        return met[self.sign]

    def is_met_by_figure(self, figure: float | None) -> bool:
        """Return whether a figure meets a number; False if the figure is undefined."""
        if figure is None or self.limit is None:
            return False
        return _COMPARE[self.sign](figure, self.limit)


def parse(
    require: Mapping[str, str],
    task: Task,
    base: tuple[str, ...] = ("require",),
    error: type[Invalid] = InvalidRequirement,
) -> list[Requirement]:
    """Parse the requirements of a promotion; raise `error` if any is invalid.

    `base` is the path of the requirements in the body.
    """
    known = REGRESSION if task == Task.REGRESSION else CLASSIFICATION
    found = [_parsed(key, text, known, task, base) for key, text in require.items()]
    raise_any(error, [e for e in found if isinstance(e, FieldError)])
    return [r for r in found if isinstance(r, Requirement)]


def _parsed(
    key: str, text: str, known: tuple[str, ...], task: Task, base: tuple[str, ...]
) -> Requirement | FieldError:
    """Return the requirement, or an error if it is invalid."""
    at, metric = pointer(*base, key), metric_key(key)
    if metric not in known:
        detail = f"a {task} model has no metric {key!r}"
        near = did_you_mean(key, known)
        return FieldError(pointer=at, detail=detail, hint=near or f"use one of {known}")
    match = _FORM.fullmatch(text)
    if match is None:
        detail = f"got {text[:80]!r}; expected >=, <=, > or < and a number or `current`"
        return FieldError(pointer=at, detail=detail, hint='for example ">= current"')
    sign, limit = match.groups()
    return Requirement(key, metric, sign, None if limit == CURRENT else float(limit))
