"""Compute the shortest time of an epoch: its FLOPs over this machine's matrix rate."""

import time
from itertools import pairwise

import numpy as np

_SIDE = 2048


def product_rate() -> float:
    """Return the FLOPs per second of TensorFlow's float32 matrix product, at best."""
    import tensorflow as tf  # noqa: PLC0415  the environment must be set first

    one = tf.random.normal([_SIDE, _SIDE])
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        tf.matmul(one, one).numpy()
        seconds.append(time.perf_counter() - began)
    return 2 * _SIDE**3 / min(seconds)


def epoch_flops(widths: list[int], train_rows: int, validation_rows: int) -> float:
    """Return the operations of an epoch: two per weight and row, times three to train.

    The inputs need no gradient, which saves a third of the work on the first layer.
    """
    products = [float(a * b) for a, b in pairwise(widths)]
    forward = 2 * float(np.sum(products))
    return train_rows * (3 * forward - 2 * products[0]) + validation_rows * forward
