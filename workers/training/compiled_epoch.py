"""Run an epoch as one call of a traced function, or as a few calls if it takes long."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras

from workers.training.batches import Batches, Rng
from workers.training.step_loop import StepLoop
from workers.training.traced_function import TracedFunction, state_of

Logs = dict[str, float]
_CHUNK_FLOPS = 4e9
"""Work of one call: a quarter second or less, so that a fit can stop between calls."""
_CHUNK_BYTES = 4 * 1024 * 1024
"""Rows of one call. The overhead of a call is small compared to this much data."""


class CompiledEpoch:
    """The epochs of a compiled model over its rows.

    Args:
        model: its weights, optimizer and metrics are changed in place.
        train: the rows to train on.
        validation: the rows to validate on after each epoch, or None.
        batch_size: rows of a step. The last step of an epoch may have fewer, as in Keras.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Batches,
        validation: Batches | None,
        batch_size: int,
    ) -> None:
        model.optimizer.build(model.trainable_variables)
        self._train, self._validation = train, validation
        held_out = validation.layout if validation else None
        self._steps = StepLoop(model, train.layout, held_out, batch_size)
        self._state = partial(state_of, model)
        self._size = batch_size * steps_per_chunk(model, batch_size, train.layout.width)
        self.flops_per_call = _flops(model, min(self._size, train.num_rows))
        self.functions: dict[tuple[Any, ...], TracedFunction] = {}
        self.calls = _num_chunks(train, self._size)
        if validation and _num_chunks(validation, self._size) > 1:
            self.calls += _num_chunks(validation, self._size)

    def run(self, rng: Rng, keeps_going: Callable[[], bool]) -> Logs:
        """Train one epoch in the order that `rng` draws, validate, and return the logs.

        `keeps_going` is called between the calls of a long epoch. If it returns False,
        the remaining rows are skipped.
        """
        last = self._run_chunks(self._train, "train", rng, keeps_going)
        if self._validation is None:
            return self._call("close", last, None)
        if _num_chunks(self._validation, self._size) == 1:
            held_out = next(self._validation.chunks(self._size, None))
            return self._call("close", last, held_out)
        logs = self._call("close", last, None)
        return logs | self.validate(self._validation, keeps_going)

    def validate(self, rows: Batches, keeps_going: Callable[[], bool]) -> Logs:
        """Return logs named `val_…` of rows that have the layout of validation rows."""
        last = self._run_chunks(rows, "test", None, keeps_going)
        return self._call("close", None, last)

    def _run_chunks(
        self, rows: Batches, name: str, rng: Rng, keeps_going: Callable[[], bool]
    ) -> Any:
        """Call the function on every chunk but the last, and return the last chunk."""
        chunks = rows.chunks(self._size, rng)
        chunk = next(chunks)
        for following in chunks:
            self._call(name, chunk)
            chunk = following
            if not keeps_going():
                # as long as the last chunk: a function for this size is already traced
                return chunk[: (rows.num_rows - 1) % self._size + 1]
        return chunk

    def _call(self, name: str, *rows: Any) -> Logs:
        key = (name, *(None if part is None else tuple(part.shape) for part in rows))
        if key not in self.functions:
            self.functions[key] = self._traced(name, key[1:])
        return self.functions[key](*(part for part in rows if part is not None))

    def _traced(self, name: str, shapes: tuple[Any, ...]) -> TracedFunction:
        function = getattr(self._steps, name)

        def with_gaps(*given: Any) -> Any:
            rest: Iterator[Any] = iter(given)
            return function(*(None if shape is None else next(rest) for shape in shapes))

        return TracedFunction(
            with_gaps, [s for s in shapes if s is not None], self._state
        )


def evaluate(model: keras.Model, rows: Batches, batch_size: int) -> Logs:
    """Return the loss and metrics of these rows, as `keras.Model.evaluate` does."""
    logs = CompiledEpoch(model, rows, rows, batch_size).validate(rows, lambda: True)
    return {name.removeprefix("val_"): value for name, value in logs.items()}


def _num_chunks(rows: Batches, size: int) -> int:
    return -(-rows.num_rows // size)


def _flops(model: keras.Model, num_rows: int) -> int:
    """Estimate the operations of training on these rows: six per weight and row."""
    return 6 * num_rows * int(model.count_params())


def steps_per_chunk(model: keras.Model, batch_size: int, width: int) -> int:
    """Return how many steps one call of a traced function runs."""
    by_flops = _CHUNK_FLOPS / max(_flops(model, batch_size), 6000 * batch_size)
    by_bytes = _CHUNK_BYTES // (4 * width * batch_size)
    return max(1, min(int(by_flops), by_bytes))
