"""The graph of a stretch of an epoch: Keras's own steps in a loop over packed rows.

`keras.Model.fit` on a small table spends nearly all its time between the steps: fetching
a batch, calling the compiled step, calling callbacks. Here the loop over the batches is
inside the graph. Everything that Keras decides is Keras's own: `train_step` and
`test_step` of the model, with its layers, loss, optimizer and metrics.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from workers.training.batches import Layout
from workers.training.noise import quick_noise


class Steps:
    """Functions to be traced over a compiled model, which is used in place.

    Args:
        model: any compiled model of one float32 input `[N, F]`.
        train, validation: the layouts of their rows.
        batch_size: rows a step; what remains is a smaller last step, as in Keras.
        gradient_scale: what gradients are multiplied by before they are applied.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Layout,
        validation: Layout | None,
        batch_size: int,
        gradient_scale: float = 1.0,
    ) -> None:
        self._model = model
        self._layout = train
        self._validation = validation or train
        self._batch_size = batch_size
        self._gradient_scale = gradient_scale

    def train(self, rows: Any) -> None:
        """Train on whole batches and a remainder."""
        with (
            quick_noise(self._model),
            _scaled_gradients(self._model.optimizer, self._gradient_scale),
        ):
            self._sweep(lambda b: self._model.train_step(self._layout.parts(b)), rows)

    def test(self, rows: Any) -> None:
        """Evaluate on whole batches and a remainder."""
        self._sweep(lambda b: self._model.test_step(self._validation.parts(b)), rows)

    def close(self, rows: Any, held_out: Any) -> dict[str, Any]:
        """The last stretch of an epoch and of its validation; the logs.

        Either may be None. Metrics are reset behind each reading: they begin at zero.
        """
        logs: dict[str, Any] = {}
        if rows is not None:
            self.train(rows)
            logs = self._read_metrics("")
        if held_out is not None:
            self.test(held_out)
            logs |= self._read_metrics("val_")
        return logs

    def _sweep(self, step: Callable[[Any], Any], rows: Any) -> None:
        size, width = self._batch_size, rows.shape[1]
        num_full = rows.shape[0] // size

        def one(i: Any) -> Any:
            batch = tf.slice(rows, [i * size, 0], [size, width])
            step(tf.ensure_shape(batch, [size, width]))
            return i + 1

        if num_full == 1:
            step(rows[:size])
        elif num_full:
            tf.while_loop(lambda i: i < num_full, one, [tf.constant(0)])
        if rows.shape[0] % size:
            step(rows[num_full * size :])

    def _read_metrics(self, prefix: str) -> dict[str, Any]:
        logs = {prefix + k: v for k, v in self._model.get_metrics_result().items()}
        # read before they are reset, also where the graph is free to choose the order
        logs = {name: tf.identity(value) for name, value in logs.items()}
        with tf.control_dependencies(list(logs.values())):
            for metric in self._model.metrics:
                metric.reset_state()
        return logs


@contextmanager
def _scaled_gradients(
    optimizer: keras.optimizers.Optimizer, scale: float
) -> Iterator[None]:
    """Within it, what is applied is `scale` times the gradient."""
    if scale == 1.0:
        yield
        return
    apply = optimizer.apply_gradients
    optimizer.apply_gradients = lambda pairs: apply([(g * scale, w) for g, w in pairs])
    try:
        yield
    finally:
        del optimizer.apply_gradients
