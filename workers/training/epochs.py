"""An epoch as one compiled function over rows that lie in memory.

`keras.Model.fit` on a small table spends nearly all its time between the steps: fetching
a batch, calling the compiled step, calling callbacks. Here the loop over the batches is
inside the graph, validation too, and Python is asked once an epoch. Everything that Keras
decides is Keras's own: `train_step` and `test_step` of the model, with its layers, loss,
optimizer and metrics.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from workers.training.encoding import Matrix

Logs = dict[str, float]
Order = NDArray[np.int32]
Tensors = tuple[Any, ...]
_CHUNK_FLOPS = 4e9
"""Work between two looks at the clock: a quarter second or less."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows, float32: `x` `[N, F]`, `y` `[N, 1]` or `[N, classes]`.

    `weight` `[N]` weighs the rows in the loss.
    """

    x: Matrix
    y: Matrix
    weight: Matrix | None = None

    @cached_property
    def tensors(self) -> Tensors:
        """The parts that are there, in the order of Keras's steps; copied once."""
        parts = [self.x, self.y, *([] if self.weight is None else [self.weight])]
        return tuple(tf.constant(part) for part in parts)


class EpochFunction:
    """The compiled epoch of a compiled model.

    Args:
        model: its weights, optimizer and metrics are used in place.
        train: the rows to train on.
        validation: the rows to validate on after each epoch, or None.
        batch_size: rows a step; what remains is a smaller last step, as in Keras.
        xla: whether XLA compiles it.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Rows,
        validation: Rows | None,
        batch_size: int,
        *,
        xla: bool,
    ) -> None:
        self._model = model
        self._train = train.tensors
        self._validation = validation.tensors if validation else ()
        self._batch_size = batch_size
        self._num_full = len(train.x) // batch_size
        self._chunk = steps_a_chunk(model, batch_size)
        self._names: list[str] = []
        self._steps = tf.function(self._train_steps, jit_compile=xla)
        self._rest = tf.function(self._finish, jit_compile=xla)

    def run(self, order: Order, keeps_going: Callable[[], bool]) -> Logs:
        """Train an epoch over the rows in `order` (`[N]` places) and validate; the logs.

        `keeps_going` is asked between the chunks of a long epoch; if it says no, the full
        batches that are left are skipped.
        """
        # shuffled once, outside: XLA gathers slowly within a loop
        rows, start = tuple(tf.gather(part, order) for part in self._train), 0
        while start + self._chunk < self._num_full:
            end = start + self._chunk
            self._steps(rows, tf.constant(start), tf.constant(end))
            start = end if keeps_going() else self._num_full
        values = self._rest(rows, self._validation, tf.constant(start))
        return dict(zip(self._names, values.numpy().tolist(), strict=True))

    def _train_steps(self, rows: Tensors, start: Any, end: Any) -> None:
        """Full batches number `start` to `end`."""
        size = self._batch_size

        def step(i: Any) -> Any:
            self._model.train_step(tuple(_block(part, i * size, size) for part in rows))
            return i + 1

        tf.while_loop(lambda i: i < end, step, [start])

    def _finish(self, rows: Tensors, validation: Tensors, start: Any) -> Any:
        """What is left of the epoch from batch `start`, and the validation.

        Metrics are reset behind each reading: the first trace makes them, at zero.
        """
        if self._num_full:
            self._train_steps(rows, start, tf.constant(self._num_full))
        if remainder := int(rows[0].shape[0]) - self._num_full * self._batch_size:
            self._model.train_step(tuple(part[-remainder:] for part in rows))
        logs = self._read_metrics("")
        if validation:
            self._validate(validation)
            logs.update(self._read_metrics("val_"))
        self._names = list(logs)
        return tf.stack([tf.cast(value, tf.float32) for value in logs.values()])

    def _validate(self, rows: Tensors) -> None:
        count, size = int(rows[0].shape[0]), self._batch_size

        def step(i: Any) -> Any:
            batch = tuple(_block(part, i * size, size) for part in rows)
            self._model.test_step(batch)
            return i + 1

        if count >= size:
            tf.while_loop(lambda i: i < count // size, step, [tf.constant(0)])
        if count % size:
            self._model.test_step(tuple(part[-(count % size) :] for part in rows))

    def _read_metrics(self, prefix: str) -> dict[str, Any]:
        logs = {prefix + k: v for k, v in self._model.get_metrics_result().items()}
        # read before they are reset, also where the graph is free to choose the order
        logs = {name: tf.identity(value) for name, value in logs.items()}
        with tf.control_dependencies(list(logs.values())):
            for metric in self._model.metrics:
                metric.reset_state()
        return logs


def _block(part: Any, start: Any, size: int) -> Any:
    rest = part.shape[1:].as_list()
    begin = [start] + [0] * len(rest)
    return tf.ensure_shape(tf.slice(part, begin, [size, *rest]), [size, *rest])


def steps_a_chunk(model: keras.Model, batch_size: int) -> int:
    """How many steps go by between two looks at the clock: six FLOPs a weight a row."""
    flops = 6 * batch_size * max(model.count_params(), 1000)
    return max(1, int(_CHUNK_FLOPS / flops))
