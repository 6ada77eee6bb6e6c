"""Build ONNX nodes by Python's operators, for the formulas of core/models/formulas.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partialmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.training.saving.onnx_layers import Graph


@dataclass(frozen=True)
class Value:
    """A float64 value in a graph, with arithmetic operators that append nodes."""

    graph: Graph
    name: str

    def apply(self, op: str, *others: Any, **attributes: Any) -> Value:
        """Return the value of a node over this value and others, which may be arrays."""
        names = [
            other.name
            if isinstance(other, Value)
            else self.graph.constant(np.asarray(other))
            for other in others
        ]
        return Value(self.graph, self.graph.add(op, self.name, *names, **attributes))

    def _arithmetic(self, op: str, other: Any) -> Value:
        is_value = isinstance(other, Value)
        return self.apply(op, other if is_value else np.asarray(other, np.float64))

    __add__ = partialmethod(_arithmetic, "Add")
    __sub__ = partialmethod(_arithmetic, "Sub")
    __mul__ = partialmethod(_arithmetic, "Mul")
    __truediv__ = partialmethod(_arithmetic, "Div")


def _unary(op: str) -> Callable[[Value], Value]:
    return staticmethod(lambda value: value.apply(op))


class OnnxOps:
    """The functions of core/models/formulas.py as ONNX nodes."""

    floor, sin, sqrt = _unary("Floor"), _unary("Sin"), _unary("Sqrt")
    log, abs, sign = _unary("Log"), _unary("Abs"), _unary("Sign")

    @staticmethod
    def take(value: Value, indices: NDArray[np.int64]) -> Value:
        return value.apply("Gather", indices, axis=1)

    @staticmethod
    def clip(value: Value, low: NDArray[np.float64], high: NDArray[np.float64]) -> Value:
        return value.apply("Max", low).apply("Min", high)
