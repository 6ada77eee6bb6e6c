"""Trace functions over a model's state, and switch to an XLA-compiled copy when ready.

A traced function holds the variables that it changes as captured inputs. The copy is
first bound to zeros and called once, so that it compiles while the fit continues. Then
the copy is bound to the model's variables.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from workers.training.gradient_registry import temporary_gradients

log = logging.getLogger(__name__)

State = Sequence[tf.Variable]
_TRIALS = 4
"""Calls after which the compiled copy is kept or dropped. The first is not timed."""


def state_of(model: keras.Model) -> list[tf.Variable]:
    """Return every variable that a compiled model changes in training, in fixed order."""
    found = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    return list({id(variable): variable.value for variable in found}.values())


class TracedFunction:
    """A traced function of packed rows and of a model's state.

    Args:
        function: takes rows, returns a dict of scalars or None.
        shapes: the shapes of the function's arguments, all float32.
        state: returns the variables that the function changes. Called after tracing.

    """

    def __init__(
        self,
        function: Callable[..., dict[str, Any] | None],
        shapes: Sequence[tuple[int, int]],
        state: Callable[[], State],
    ) -> None:
        self.names: list[str] = []
        self._shapes = shapes
        self._plain = self._trace(self._stacked(function), xla=False)
        self._state = state()
        self._compiled: Any = None
        self.has_compiled_copy = False
        self.calls = 0
        self._plain_seconds: list[float] = []
        self._compiled_seconds: list[float] = []

    def _stacked(self, function: Callable[..., dict[str, Any] | None]) -> Any:
        """Return a function with one output tensor: many would be slower to fetch."""

        def stacked(*rows: Any) -> Any:
            logs = function(*rows) or {}
            self.names = list(logs)
            values = [tf.cast(value, tf.float32) for value in logs.values()]
            return tf.stack(values) if values else tf.constant(0.0)

        return stacked

    def _trace(self, function: Any, *, xla: bool) -> Any:
        specs = [tf.TensorSpec(shape, tf.float32) for shape in self._shapes]
        traced = tf.function(function, autograph=False, jit_compile=xla)
        with temporary_gradients():
            return traced.get_concrete_function(*specs)

    @property
    def seconds(self) -> float:
        """Return the shortest time of a call, or 0 before the second call."""
        return min(self._compiled_seconds[1:] or self._plain_seconds[1:], default=0.0)

    def __call__(self, *rows: Any) -> dict[str, float]:
        """Call the compiled copy if there is one and it is not slower."""
        compiled = self._compiled
        self.calls += 1
        began = time.perf_counter()
        values = (compiled or self._plain)(*rows)
        values = values.numpy().tolist() if self.names else ()
        seconds = self._compiled_seconds if compiled else self._plain_seconds
        if len(seconds) < _TRIALS:
            seconds.append(time.perf_counter() - began)
            if compiled and len(seconds) == _TRIALS:
                self._drop_if_slower()
        return dict(zip(self.names, values, strict=True))

    def _drop_if_slower(self) -> None:
        plain = min(self._plain_seconds[1:], default=float("inf"))
        if min(self._compiled_seconds[1:]) > plain:
            log.info("XLA did not make this network faster; continuing without XLA")
            self._compiled = None

    def prepare_compiled_copy(self) -> Callable[[], None]:
        """Return a function that compiles the copy. Call it in a thread."""
        compiled = self._trace(self._plain, xla=True)
        self.has_compiled_copy = True
        indices = _captured_indices(compiled, self._state)
        zeros = [tf.Variable(tf.zeros(v.shape, v.dtype)) for v in self._state]

        def compile_copy() -> None:
            _bind(compiled, indices, zeros)
            compiled(*(np.zeros(shape, np.float32) for shape in self._shapes))
            _bind(compiled, indices, self._state)
            self._compiled = compiled

        return compile_copy


def _captured_indices(function: Any, state: State) -> list[int | None]:
    """Return the index in `state` of each captured input; None for a constant."""
    known = {id(variable.handle): index for index, variable in enumerate(state)}
    return [known.get(id(tensor)) for tensor in function.captured_inputs]


def _bind(function: Any, indices: list[int | None], state: State) -> None:
    captured = zip(function.captured_inputs, indices, strict=True)
    function.set_variables([state[index] for index in indices if index is not None])
    function.set_external_captures(
        [old if index is None else state[index].handle for old, index in captured]
    )
