"""The limit of arithmetic: FLOPs over the rate of this machine's matrix product."""

import time
from itertools import pairwise

import numpy as np

_SIDE = 2048


def product_rate() -> float:
    """FLOPs a second of TensorFlow's float32 matrix product, the best of five."""
    import tensorflow as tf  # noqa: PLC0415  not before the environment is set

    one = tf.random.normal([_SIDE, _SIDE])
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        tf.matmul(one, one).numpy()
        seconds.append(time.perf_counter() - began)
    return 2 * _SIDE**3 / min(seconds)


def epoch_flops(widths: list[int], train_rows: int, validation_rows: int) -> float:
    """Return the operations of an epoch: two per weight and row, times three to train.

    The inputs need no gradient, which saves a third on the first layer.
    """
    products = [float(a * b) for a, b in pairwise(widths)]
    forward = 2 * float(np.sum(products))
    return train_rows * (3 * forward - 2 * products[0]) + validation_rows * forward
