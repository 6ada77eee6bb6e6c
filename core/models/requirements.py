"""Parse requirements: `{"roc_auc": ">= current", "log_loss": "<= 0.3"}`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt

from core.errors import InvalidRequirement, raise_any
from core.models.scores import CLASSIFICATION, REGRESSION
from fitserve.enums import Task
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
_OTHER_NAMES = {
    "auc": "roc_auc",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "r2_score": "r2",
    "binary_accuracy": "accuracy",
}
"""Keras's and others' names of the same figures."""


@dataclass(frozen=True)
class Requirement:
    """One figure of the new version, against a number or the version promoted now."""

    key: str
    metric: str
    sign: str
    limit: float | None
    """None is the figure of the current version."""

    @property
    def is_relative(self) -> bool:
        """Return whether the current version is needed to judge it."""
        return self.limit is None

    def holds(self, candidate: float | None, current: float | None) -> bool:
        """Return whether a figure is good enough; one that does not exist never is."""
        limit = current if self.limit is None else self.limit
        if candidate is None or limit is None:
            return False
        return _COMPARE[self.sign](candidate, limit)


def parse(require: Mapping[str, str], task: Task) -> list[Requirement]:
    """Parse the requirements of a promotion; raise InvalidRequirement for wrong ones."""
    known = REGRESSION if task == Task.REGRESSION else CLASSIFICATION
    found = [_parsed(key, text, known, task) for key, text in require.items()]
    raise_any(InvalidRequirement, [e for e in found if isinstance(e, FieldError)])
    return [r for r in found if isinstance(r, Requirement)]


def _parsed(
    key: str, text: str, known: tuple[str, ...], task: Task
) -> Requirement | FieldError:
    """Return the requirement, or what is wrong with it."""
    at = pointer("require", key)
    if _OTHER_NAMES.get(key, key) not in known:
        detail = f"no figure of a {task} model is called {key!r}"
        near = did_you_mean(key, known)
        return FieldError(pointer=at, detail=detail, hint=near or f"known: {known}")
    match = _FORM.fullmatch(text)
    if match is None:
        detail = f"got {text[:80]!r}; expected >=, <=, > or < and a number or `current`"
        return FieldError(pointer=at, detail=detail, hint='such as ">= current"')
    sign, limit = match.groups()
    metric = _OTHER_NAMES.get(key, key)
    return Requirement(key, metric, sign, None if limit == CURRENT else float(limit))
