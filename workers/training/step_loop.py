"""Loop over Keras's own training steps inside one graph.

On a small table `keras.Model.fit` spends nearly all its time between steps: it fetches a
batch, calls the compiled step and calls callbacks. Here the loop over the batches is part
of the graph. Keras's `train_step` and `test_step` still compute everything else, with the
layers, loss, optimizer and metrics of the model.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from workers.training.batches import RowLayout
from workers.training.noise import fast_noise


class StepLoop:
    """Functions to trace. They change the variables of a compiled model in place.

    Args:
        model: a compiled model with one float32 input `[N, F]`.
        train, validation: the layouts of the packed rows.
        batch_size: rows of a step. The last step of an epoch may have fewer, as in Keras.

    """

    def __init__(
        self,
        model: keras.Model,
        train: RowLayout,
        validation: RowLayout | None,
        batch_size: int,
    ) -> None:
        self._model = model
        self._train_layout = train
        self._test_layout = validation or train
        self._batch_size = batch_size
        self._train_step = _traced_once(self._train_batch, self._train_layout)
        self._test_step = _traced_once(self._model.test_step, self._test_layout)

    def _train_batch(self, batch: Any) -> None:
        with fast_noise(self._model):
            self._model.train_step(batch)

    def train(self, rows: Any) -> None:
        """Train on all batches of these rows."""
        self._for_batches(self._train_step, rows)

    def test(self, rows: Any) -> None:
        """Evaluate on all batches of these rows."""
        self._for_batches(self._test_step, rows)

    def close(self, rows: Any, held_out: Any) -> dict[str, Any]:
        """Run the last chunk of an epoch and of its validation, and return the logs.

        Either chunk may be None. Metrics are reset after they are read.
        """
        logs: dict[str, Any] = {}
        if rows is not None:
            self.train(rows)
            logs = self._read_metrics("")
        if held_out is not None:
            self.test(held_out)
            logs |= self._read_metrics("val_")
        return logs

    def _for_batches(self, step: Callable[[Any], Any], rows: Any) -> None:
        size, width = self._batch_size, rows.shape[1]
        num_full = rows.shape[0] // size

        def run_step(i: Any) -> Any:
            batch = tf.slice(rows, [i * size, 0], [size, width])
            step(batch)
            return i + 1

        if num_full == 1:
            step(rows[:size])
        elif num_full:
            tf.while_loop(lambda i: i < num_full, run_step, [tf.constant(0)])
        if rows.shape[0] % size:
            step(rows[num_full * size :])

    def _read_metrics(self, prefix: str) -> dict[str, Any]:
        logs = {prefix + k: v for k, v in self._model.get_metrics_result().items()}
        # a graph may reorder operations, but values must be read before the reset
        logs = {name: tf.identity(value) for name, value in logs.items()}
        with tf.control_dependencies(list(logs.values())):
            for metric in self._model.metrics:
                metric.reset_state()
        return logs


def _traced_once(step: Callable[[Any], Any], layout: RowLayout) -> Callable[[Any], Any]:
    """Return a function of a batch of any size, which runs a step of Keras.

    Python traces the step once. Full batches and the shorter last one share its graph, as
    do all functions of an epoch.
    """

    def run(batch: Any) -> None:
        step(layout.parts(batch))

    any_size = tf.TensorSpec([None, layout.width], tf.float32)
    traced: Callable[[Any], Any] = tf.function(
        run, input_signature=[any_size], autograph=False
    )
    return traced
