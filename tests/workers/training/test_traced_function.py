import gc
import weakref

import keras
import tensorflow as tf

from workers.training.traced_function import TracedFunction, state_of


def traced_step():
    """Trace a training step with Keras's optimizer, which has a custom gradient."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)

    def step(rows):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(rows) ** 2)
        weights = model.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}

    return TracedFunction(step, [(4, 2)], lambda: state_of(model))


def test_the_graph_is_freed_with_the_function():
    """A worker that trains many runs would otherwise keep the graph of each."""
    function = traced_step()
    compile_copy = function.prepare_compiled_copy()
    compile_copy()
    assert function(tf.ones((4, 2)))["loss"] >= 0
    graphs = [weakref.ref(f.graph) for f in (function._plain, function._compiled)]
    del function, compile_copy
    gc.collect()
    assert [graph() for graph in graphs] == [None, None]
