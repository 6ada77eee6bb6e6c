"""Several fits of one run, each with a seed of its own, of which the best is kept.

They follow one another over the same compiled network. Epochs are counted on from fit to
fit, so that a history has no gap and no number twice.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitserve.enums import StopReason

Better = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class BestFit:
    """The best fit so far: what it was judged by, and what it left.

    `fit` counts from 1; `epoch` is the one whose weights these are, in the history of the
    whole run.
    """

    value: float
    fit: int
    epoch: int
    stop_reason: StopReason
    metrics: dict[str, float | None]
    weights: list[NDArray[Any]] = field(default_factory=list)


@dataclass
class SeedSearch:
    """Where a run stands: `place` is the fit under way, from 0."""

    place: int = 0
    epochs_before: int = 0
    """Epochs of the fits that have ended."""
    num_lost: int = 0
    """Of those, that ended in NaN."""
    kept: BestFit | None = None

    def is_beaten_by(self, value: float, is_better: Better = operator.lt) -> bool:
        """Whether a fit that has ended is the best so far; one of NaN is not."""
        if math.isnan(value):
            return False
        return self.kept is None or bool(is_better(value, self.kept.value))

    def go_on(self, epochs: int) -> None:
        """To the next fit, after one of so many epochs."""
        self.place += 1
        self.epochs_before += epochs

    def told(self) -> dict[str, Any]:
        """As JSON, for a checkpoint; the weights are arrays of it."""
        kept = None
        if self.kept is not None:
            kept = {k: v for k, v in vars(self.kept).items() if k != "weights"}
        own = {k: v for k, v in vars(self).items() if k != "kept"}
        return own | {"kept": kept}

    def restore(self, told: dict[str, Any], weights: list[NDArray[Any]]) -> None:
        """What `told` gave in an earlier attempt."""
        self.place, self.epochs_before = told["place"], told["epochs_before"]
        self.num_lost = told["num_lost"]
        if told["kept"] is not None:
            given = told["kept"]
            reason = StopReason(given["stop_reason"])
            self.kept = BestFit(**(given | {"stop_reason": reason, "weights": weights}))

    @property
    def weights(self) -> list[NDArray[Any]]:
        """Of the best fit so far; none before there is one."""
        return self.kept.weights if self.kept is not None else []


def copied(variables: list[Any]) -> list[NDArray[Any]]:
    """The values of variables, apart from them."""
    return [np.array(variable) for variable in variables]


def assign(variables: list[Any], values: list[Any]) -> None:
    """Put values into variables of their shapes."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
