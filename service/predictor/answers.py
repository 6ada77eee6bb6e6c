"""What a network answered, in the ways that protocols tell it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitserve.statuses import Task
from service.predictor.batching import Output
from service.predictor.directory import Served
from service.predictor.notes import Warning_


@dataclass(frozen=True)
class Answer:
    """The network's output for the rows of one request, all by one version.

    Args:
        served: the version that answered.
        output: float32 `[N, 1]`, or `[N, classes]` for multiclass.
        warnings: what is worth knowing about the rows.

    """

    served: Served
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
        """One a row: a number, or the label of the likeliest class."""
        if not self.is_classification:
            return np.ascontiguousarray(self.output[:, 0])
        return [self.classes[i] for i in self.probabilities.argmax(axis=1).tolist()]

    @property
    def probabilities_by_class(self) -> list[dict[str, float]]:
        """One object a row: class name to probability."""
        names = [str(label) for label in self.classes]
        rows = self.probabilities.tolist()
        return [dict(zip(names, row, strict=True)) for row in rows]
