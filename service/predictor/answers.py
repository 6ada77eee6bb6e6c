"""The output of a network, in the forms that protocols need."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.models.network import NetworkOutput
from fitserve.enums import Task
from service.predictor.notes import Notes, RowWarning
from service.predictor.version_resolver import ServedVersion

_NO_PREDICTION = "no prediction: a value is too far outside the training rows' range"


@dataclass(frozen=True)
class ModelAnswer:
    """The output of one version's network for the rows of one request.

    Args:
        served: the version that answered.
        output: the output of the network, `[N, 1]`, or `[N, classes]` for multiclass.
        warnings: the warnings about the rows.

    """

    served: ServedVersion
    output: NetworkOutput
    warnings: list[RowWarning]

    @property
    def is_classification(self) -> bool:
        """Return whether predictions are class labels."""
        return self.served.signature.task != Task.REGRESSION

    @cached_property
    def probabilities(self) -> NetworkOutput:
        """Return the probability of every class, `[N, classes]`."""
        if self.served.signature.task == Task.BINARY:
            return np.concatenate([1 - self.output, self.output], axis=1)
        return self.output

    @property
    def predictions(self) -> list[Any] | NetworkOutput:
        """Return a number for each row, or the label of its most probable class.

        A prediction is NaN or None where the network's arithmetic overflowed.
        """
        if not self.is_classification:
            return np.ascontiguousarray(self.output[:, 0])
        classes = self.served.signature.classes or []
        best = self.probabilities.argmax(axis=1).tolist()
        return [
            classes[i] if is_known else None
            for i, is_known in zip(best, _finite_rows(self.output), strict=True)
        ]

    @property
    def probabilities_by_class(self) -> list[dict[str, float]]:
        """Return the probabilities of each row by class name."""
        names = self.served.signature.class_names
        rows = self.probabilities.tolist()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def with_warnings(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return the content, with the key `warnings` if there are any."""
        return content | {"warnings": self.warnings} if self.warnings else content


def _finite_rows(output: NetworkOutput) -> list[bool]:
    rows: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(output), axis=1)
    return [bool(row) for row in rows]


def _is_finite(output: NetworkOutput) -> bool:
    if output.size == 1:  # most requests; NumPy would take ten times as long
        return math.isfinite(output.item())
    return bool(np.isfinite(output).all())


def make_answer(
    served: ServedVersion, output: NetworkOutput, warnings: list[RowWarning]
) -> ModelAnswer:
    """Return the answer, with a warning for each row whose arithmetic overflowed."""
    if not _is_finite(output):
        notes = Notes(warnings=warnings)
        for row, is_known in enumerate(_finite_rows(output)):
            if not is_known:
                notes.warn(row, served.signature.target, _NO_PREDICTION)
    return ModelAnswer(served, output, warnings)
