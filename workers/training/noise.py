"""Draw the random numbers of Dropout and GaussianNoise fast under XLA.

XLA's own generator takes 200 ns per number on a CPU: a network with two Dropout layers
spends nine tenths of its time there. A hash of the number's index and Keras's seed takes
1 ns. The layers use these functions only while an epoch is traced. Each layer still
takes its seeds from its own generator.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import tensorflow as tf

_ROUNDS = ((16, 0x7FEB352D), (15, 0x846CA68B))
"""Shifts and odd factors of a 32-bit mixer with little bias (Wellons, "Prospecting for
Hash Functions", 2018)."""
_GOLDEN = 0x9E3779B9


@contextmanager
def fast_noise(model: keras.Model) -> Iterator[None]:
    """Make the noise layers of `model` draw numbers by hash within this context."""
    noisy = [layer for layer in _layers_of(model) if type(layer) in _CALLS]
    for layer in noisy:
        layer.call = partial(_CALLS[type(layer)], layer)
    try:
        yield
    finally:
        for layer in noisy:
            del layer.call


def _layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer)
        else:
            yield layer


def _dropout(layer: keras.layers.Dropout, inputs: Any, training: bool = False) -> Any:
    if not training or not layer.rate:
        return inputs
    kept = _uniform(tf.shape(inputs), layer.seed_generator.next()) >= layer.rate
    return tf.where(kept, inputs / (1.0 - layer.rate), 0.0)


def _gaussian_noise(
    layer: keras.layers.GaussianNoise, inputs: Any, training: bool = False
) -> Any:
    if not training or not layer.stddev:
        return inputs
    return inputs + layer.stddev * _normal(
        _uniform(tf.shape(inputs), layer.seed_generator.next())
    )


def _normal(uniform: Any) -> Any:
    """Return finite normal numbers for uniform numbers in [0, 1)."""
    # the middle of each step of 2^-24; the minimum keeps the last step below 1
    return tf.math.ndtri(tf.minimum(uniform + 2.0**-25, 1.0 - 2.0**-24))


_CALLS: dict[type, Callable[..., Any]] = {
    keras.layers.Dropout: _dropout,
    keras.layers.GaussianNoise: _gaussian_noise,
}


def _uniform(shape: Any, seed: Any) -> Any:
    """Return numbers in [0, 1) in steps of 2^-24.

    `shape` is an integer tensor, and `seed` is Keras's pair of integers.
    """
    low, high = tf.unstack(tf.cast(seed, tf.uint32))
    indices = tf.cast(tf.range(tf.reduce_prod(shape)), tf.uint32)
    bits = _mix(_mix(indices * _uint(_GOLDEN) + _mix(low)) ^ _mix(high + _uint(_GOLDEN)))
    numbers = tf.cast(tf.bitwise.right_shift(bits, _uint(8)), tf.float32) * 2.0**-24
    return tf.reshape(numbers, shape)


def _mix(value: Any) -> Any:
    for shift, factor in _ROUNDS:
        value = (value ^ tf.bitwise.right_shift(value, _uint(shift))) * _uint(factor)
    return value ^ tf.bitwise.right_shift(value, _uint(16))


def _uint(number: int) -> Any:
    return tf.constant(number, tf.uint32)
