"""Traced functions over a model's state, with an XLA twin that is compiled beside.

A traced function holds the variables that it works on as captured inputs. Giving it
others of the same shapes is how its twin is compiled while the fit goes on: by a call on
a state of zeros that nobody looks at. Then it is given the true ones.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

log = logging.getLogger(__name__)

State = Sequence[tf.Variable]
_TRIALS = 4
"""Calls after which a twin is kept or dropped for good; its first does not count."""


def state_of(model: keras.Model) -> list[tf.Variable]:
    """Everything a compiled model changes while it trains, in a fixed order."""
    found = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    return list({id(variable): variable.value for variable in found}.values())


class Program:
    """A function of packed rows and of a state.

    Args:
        function: takes rows, gives a dict of scalars or None.
        shapes: those of its arguments, all float32.
        state: gives the variables that it works on, once tracing has made them all.

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
        self._fast: Any = None
        self.has_twin = False
        self.calls = 0
        self._plain_seconds: list[float] = []
        self._fast_seconds: list[float] = []

    def _stacked(self, function: Callable[..., dict[str, Any] | None]) -> Any:
        """One tensor comes back sooner than many."""

        def stacked(*rows: Any) -> Any:
            logs = function(*rows) or {}
            self.names = list(logs)
            values = [tf.cast(value, tf.float32) for value in logs.values()]
            return tf.stack(values) if values else tf.constant(0.0)

        return stacked

    def _trace(self, function: Any, *, xla: bool) -> Any:
        specs = [tf.TensorSpec(shape, tf.float32) for shape in self._shapes]
        traced = tf.function(function, autograph=False, jit_compile=xla)
        return traced.get_concrete_function(*specs)

    @property
    def seconds(self) -> float | None:
        """What a call takes at its best, or None before the second one."""
        return min(self._fast_seconds[1:] or self._plain_seconds[1:], default=None)

    def __call__(self, *rows: Any) -> dict[str, float]:
        """Run it, by the twin if there is one and it is no slower."""
        fast = self._fast
        self.calls += 1
        began = time.perf_counter()
        values = (fast or self._plain)(*rows)
        values = values.numpy().tolist() if self.names else ()
        seconds = self._fast_seconds if fast else self._plain_seconds
        if len(seconds) < _TRIALS:
            seconds.append(time.perf_counter() - began)
            if fast and len(seconds) == _TRIALS:
                self._judge()
        return dict(zip(self.names, values, strict=True))

    def _judge(self) -> None:
        plain = min(self._plain_seconds[1:], default=float("inf"))
        if min(self._fast_seconds[1:]) > plain:
            log.info("XLA made it no faster; going on without it")
            self._fast = None

    def twin(self) -> Callable[[], None]:
        """What compiles the twin, to be called in a thread."""
        fast = self._trace(self._plain, xla=True)
        self.has_twin = True
        places = _places(fast, self._state)
        zeros = [tf.Variable(tf.zeros(v.shape, v.dtype)) for v in self._state]

        def compile_() -> None:
            _bind(fast, places, zeros)
            fast(*(np.zeros(shape, np.float32) for shape in self._shapes))
            _bind(fast, places, self._state)
            self._fast = fast

        return compile_


def _places(function: Any, state: State) -> list[int | None]:
    """The place in the state of each capture of the function; None for a constant."""
    known = {id(variable.handle): place for place, variable in enumerate(state)}
    return [known.get(id(tensor)) for tensor in function.captured_inputs]


def _bind(function: Any, places: list[int | None], state: State) -> None:
    captured = zip(function.captured_inputs, places, strict=True)
    function.set_variables([state[place] for place in places if place is not None])
    function.set_external_captures(
        [old if place is None else state[place].handle for old, place in captured]
    )
