"""The threads that TensorFlow may use in a child: its share of the cores."""

import os

import tensorflow as tf


def share_cores(num_children: int) -> None:
    """Give this process its share; must come before TensorFlow computes anything."""
    cores = max(1, _num_cores() // num_children)
    tf.config.threading.set_intra_op_parallelism_threads(cores)
    tf.config.threading.set_inter_op_parallelism_threads(cores)


def _num_cores() -> int:
    """Those that the process may run on, which a container may have cut."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
