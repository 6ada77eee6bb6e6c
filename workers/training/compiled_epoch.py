"""An epoch as one call of a compiled function, or as a few where it takes long."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np

from workers.training.batches import Blocks
from workers.training.programs import Program, state_of
from workers.training.steps import Steps

Logs = dict[str, float]
Rng = np.random.Generator | None
_CHUNK_FLOPS = 4e9
"""Work between two looks at the clock: a quarter second or less."""
_CHUNK_BYTES = 4 * 1024 * 1024
"""Rows of a call: what a call costs besides is little against going through these."""


class Epochs:
    """The epochs of a compiled model over its rows.

    Args:
        model: its weights, optimizer and metrics are used in place.
        train: the rows to train on.
        validation: the rows to validate on after each epoch, or None.
        batch_size: rows a step; what remains is a smaller last step, as in Keras.
        gradient_scale: what gradients are multiplied by before they are applied.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Blocks,
        validation: Blocks | None,
        batch_size: int,
        gradient_scale: float = 1.0,
    ) -> None:
        model.optimizer.build(model.trainable_variables)
        self._train, self._validation = train, validation
        held_out = validation.layout if validation else None
        self._steps = Steps(model, train.layout, held_out, batch_size, gradient_scale)
        self._state = partial(state_of, model)
        self._size = batch_size * steps_a_chunk(model, batch_size, train.layout.width)
        self.call_flops = _flops(model, min(self._size, train.num_rows))
        self.programs: dict[tuple[Any, ...], Program] = {}
        self.calls = _num_chunks(train, self._size)
        if validation and _num_chunks(validation, self._size) > 1:
            self.calls += _num_chunks(validation, self._size)

    def run(self, rng: Rng, keeps_going: Callable[[], bool]) -> Logs:
        """Train an epoch, in the order that `rng` draws, and validate; the logs.

        `keeps_going` is asked between the calls of a long epoch; if it says no, the rest
        of the rows is left out.
        """
        tail = self._pass(self._train, "train", rng, keeps_going)
        if self._validation is None:
            return self._call("close", tail, None)
        if _num_chunks(self._validation, self._size) == 1:
            held_out = next(self._validation.chunks(self._size, None))
            return self._call("close", tail, held_out)
        logs = self._call("close", tail, None)
        return logs | self.validate(self._validation, keeps_going)

    def validate(self, rows: Blocks, keeps_going: Callable[[], bool]) -> Logs:
        """Return the logs of rows laid out as the validation rows, each `val_…`."""
        tail = self._pass(rows, "test", None, keeps_going)
        return self._call("close", None, tail)

    def _pass(
        self, rows: Blocks, name: str, rng: Rng, keeps_going: Callable[[], bool]
    ) -> Any:
        """Call the function on every chunk but the last, which is returned."""
        chunks = rows.chunks(self._size, rng)
        chunk = next(chunks)
        for following in chunks:
            self._call(name, chunk)
            chunk = following
            if not keeps_going():
                chunk = chunk[: _last(rows.num_rows, self._size)]
                break
        return chunk

    def _call(self, name: str, *rows: Any) -> Logs:
        key = (name, *(None if part is None else tuple(part.shape) for part in rows))
        if key not in self.programs:
            self.programs[key] = self._program(name, key[1:])
        return self.programs[key](*(part for part in rows if part is not None))

    def _program(self, name: str, shapes: tuple[Any, ...]) -> Program:
        function = getattr(self._steps, name)

        def with_gaps(*given: Any) -> Any:
            rest: Iterator[Any] = iter(given)
            return function(*(None if shape is None else next(rest) for shape in shapes))

        return Program(with_gaps, [s for s in shapes if s is not None], self._state)


def evaluate(model: keras.Model, rows: Blocks, batch_size: int) -> Logs:
    """What `keras.Model.evaluate` gives."""
    epochs = Epochs(model, rows, rows, batch_size)
    logs = epochs.validate(rows, lambda: True)
    return {name.removeprefix("val_"): value for name, value in logs.items()}


def _num_chunks(rows: Blocks, size: int) -> int:
    return -(-rows.num_rows // size)


def _last(num_rows: int, size: int) -> int:
    return (num_rows - 1) % size + 1


def _flops(model: keras.Model, num_rows: int) -> int:
    """Of training on so many rows: about six a weight a row."""
    return 6 * num_rows * int(model.count_params())


def steps_a_chunk(model: keras.Model, batch_size: int, width: int) -> int:
    """How many steps go by between two looks at the clock."""
    by_flops = _CHUNK_FLOPS / max(_flops(model, batch_size), 6000 * batch_size)
    by_bytes = _CHUNK_BYTES // (4 * width * batch_size)
    return max(1, min(int(by_flops), by_bytes))
