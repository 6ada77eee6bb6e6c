"""What a network answered, in the ways that protocols tell it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitserve.enums import Task
from service.predictor.batching import Output
from service.predictor.notes import Notes, Warning_
from service.predictor.version_resolver import ServedVersion

_NO_PREDICTION = "no prediction: a value is too far outside the training rows' range"


@dataclass(frozen=True)
class Answer:
    """The network's output for the rows of one request, all by one version.

    Args:
        served: the version that answered.
        output: float32 `[N, 1]`, or `[N, classes]` for multiclass.
        warnings: what is worth knowing about the rows.

    """

    served: ServedVersion
    output: Output
    warnings: list[Warning_]

    @property
    def is_classification(self) -> bool:
        """Whether predictions are labels, with probabilities beside them."""
        return self.served.signature.task != Task.REGRESSION

    @property
    def classes(self) -> list[Any]:
        """The labels, in the order of the probabilities' columns."""
        return self.served.signature.classes or []

    @cached_property
    def probabilities(self) -> NDArray[np.float32]:
        """Of every class, `[N, classes]`."""
        if self.served.signature.task == Task.BINARY:
            return np.concatenate([1 - self.output, self.output], axis=1)
        return self.output

    @property
    def predictions(self) -> list[Any] | NDArray[np.float32]:
        """One a row: a number, or the label of the likeliest class.

        NaN or None where the network's arithmetic overflowed.
        """
        if not self.is_classification:
            return np.ascontiguousarray(self.output[:, 0])
        best = self.probabilities.argmax(axis=1)
        return [
            self.classes[i] if is_known else None
            for i, is_known in zip(best.tolist(), _finite_rows(self.output), strict=True)
        ]

    @property
    def probabilities_by_class(self) -> list[dict[str, float]]:
        """One object a row: class name to probability."""
        names = self.served.signature.class_names
        rows = self.probabilities.tolist()
        return [dict(zip(names, row, strict=True)) for row in rows]


def _finite_rows(output: Output) -> list[bool]:
    rows: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(output), axis=1)
    return [bool(row) for row in rows]


def answer_of(served: ServedVersion, output: Output, warnings: list[Warning_]) -> Answer:
    """The answer, with a warning for rows whose arithmetic overflowed."""
    if not np.isfinite(output).all():
        notes = Notes(warnings=warnings)
        for row, is_known in enumerate(_finite_rows(output)):
            if not is_known:
                notes.warn(row, served.signature.target, _NO_PREDICTION)
    return Answer(served, output, warnings)
