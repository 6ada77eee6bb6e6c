"""Keep the best of several fits of one run, each with its own seed.

The fits run one after another over the same compiled network. Epoch numbers continue
from one fit to the next, so the history has no gap and no duplicate number.
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
    """The best fit so far, with its weights.

    Args:
        value: the value by which fits are compared.
        fit: the number of the fit, from 1.
        epoch: the epoch of the run whose weights are kept.

    """

    value: float
    fit: int
    epoch: int
    stop_reason: StopReason
    metrics: dict[str, float | None]
    weights: list[NDArray[Any]] = field(default_factory=list)


@dataclass
class SeedSearch:
    """The progress of a run through its fits.

    Args:
        index: the current fit, from 0.
        epochs_before: the number of epochs of the fits that have ended.
        num_lost: the number of fits that ended in NaN.
        kept: the best fit so far.

    """

    index: int = 0
    epochs_before: int = 0
    num_lost: int = 0
    kept: BestFit | None = None

    def is_beaten_by(self, value: float, is_better: Better = operator.lt) -> bool:
        """Return whether a fit with this value is the best so far; False for NaN."""
        if math.isnan(value):
            return False
        return self.kept is None or bool(is_better(value, self.kept.value))

    def next_fit(self, epochs: int) -> None:
        """Move to the next fit, after a fit of `epochs` epochs."""
        self.index += 1
        self.epochs_before += epochs

    def to_json(self) -> dict[str, Any]:
        """Return the progress for a checkpoint, without the weights."""
        kept = None
        if self.kept is not None:
            kept = {k: v for k, v in vars(self.kept).items() if k != "weights"}
        return {
            "place": self.index,  # the key is part of the checkpoint format
            "epochs_before": self.epochs_before,
            "num_lost": self.num_lost,
            "kept": kept,
        }

    def restore(self, saved: dict[str, Any], weights: list[NDArray[Any]]) -> None:
        """Set the progress from a result of `to_json` in an earlier attempt."""
        self.index, self.epochs_before = saved["place"], saved["epochs_before"]
        self.num_lost = saved["num_lost"]
        if (kept := saved["kept"]) is not None:
            reason = StopReason(kept["stop_reason"])
            self.kept = BestFit(**(kept | {"stop_reason": reason, "weights": weights}))

    @property
    def weights(self) -> list[NDArray[Any]]:
        """Return the weights of the best fit so far, or an empty list."""
        return self.kept.weights if self.kept is not None else []


def copied(variables: list[Any]) -> list[NDArray[Any]]:
    """Return copies of the values of variables."""
    return [np.array(variable) for variable in variables]


def assign(variables: list[Any], values: list[Any]) -> None:
    """Assign values to variables of the same shapes."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
