"""Share the cores and the GPUs of a machine between training processes."""

import os

import tensorflow as tf


def share_cores(num_processes: int) -> None:
    """Limit TensorFlow to this process's share of the cores, before it computes."""
    if hasattr(os, "sched_getaffinity"):
        num_cores = len(os.sched_getaffinity(0))  # a container may have fewer
    else:
        num_cores = os.cpu_count() or 1
    threads = max(1, num_cores // num_processes)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        # otherwise the first process takes all memory of the GPU
        tf.config.experimental.set_memory_growth(gpu, True)
