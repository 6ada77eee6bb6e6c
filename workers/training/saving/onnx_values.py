"""Values of an ONNX graph that are reckoned with by the usual operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.training.saving.onnx_layers import Graph


@dataclass(frozen=True)
class Value:
    """A float64 value in a graph: what formulas.py takes and gives."""

    graph: Graph
    name: str

    def _with(self, op: str, other: Any) -> Value:
        if not isinstance(other, Value):
            constant = self.graph.constant(np.asarray(other, np.float64))
            other = Value(self.graph, constant)
        return Value(self.graph, self.graph.add(op, self.name, other.name))

    def __add__(self, other: Any) -> Value:
        return self._with("Add", other)

    def __sub__(self, other: Any) -> Value:
        return self._with("Sub", other)

    def __mul__(self, other: Any) -> Value:
        return self._with("Mul", other)

    def __truediv__(self, other: Any) -> Value:
        return self._with("Div", other)


class OnnxOps:
    """The functions of formulas.py as nodes."""

    @staticmethod
    def floor(value: Value) -> Value:
        return _apply("Floor", value)

    @staticmethod
    def sin(value: Value) -> Value:
        return _apply("Sin", value)

    @staticmethod
    def sqrt(value: Value) -> Value:
        return _apply("Sqrt", value)

    @staticmethod
    def log(value: Value) -> Value:
        return _apply("Log", value)

    @staticmethod
    def abs(value: Value) -> Value:
        return _apply("Abs", value)

    @staticmethod
    def sign(value: Value) -> Value:
        return _apply("Sign", value)

    @staticmethod
    def take(value: Value, places: NDArray[np.int64]) -> Value:
        at = value.graph.constant(places)
        return Value(value.graph, value.graph.add("Gather", value.name, at, axis=1))

    @staticmethod
    def clip(value: Value, low: NDArray[np.float64], high: NDArray[np.float64]) -> Value:
        bounds = [value.graph.constant(bound) for bound in (low, high)]
        above = value.graph.add("Max", value.name, bounds[0])
        return Value(value.graph, value.graph.add("Min", above, bounds[1]))


def _apply(op: str, value: Value) -> Value:
    return Value(value.graph, value.graph.add(op, value.name))
