"""A worker with faults in it: a run's tag `fault` says what befalls its child.

Started by the tests as `python -m tests.workers.faulty_worker runs`; children are forked
from it and inherit what is replaced here. Nothing of this is reachable from outside.
"""

import ctypes
import os
import resource
import signal
import time
from pathlib import Path

import psutil
import tensorflow as tf

from workers.__main__ import main  # first: it tells TensorFlow how to be loaded
from workers.heartbeat import Heartbeat
from workers.run_executor import RunExecutor


def hang():
    """In native code that lets other threads run."""
    ctypes.CDLL(None).sleep(3600)


def hold():
    """In native code that lets no other thread run."""
    ctypes.PyDLL(None).sleep(3600)


def die():
    """As by the kernel's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def memory():
    raise MemoryError("no more")


def exhausted():
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


def allocate():
    """For want of real memory, in NumPy's hands or in TensorFlow's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 256 * 2**20, hard))
    try:
        tf.random.normal((2**15, 2**15)).numpy()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def slow():
    """Epochs that a test can be between."""
    time.sleep(0.02)


def wait_to_build():
    """As in a long trace, until the test has seen what it came for."""
    while not (Path(os.environ["FITSERVE_HOME"]) / "build").exists():
        time.sleep(0.05)


FAULTS = {f.__name__: f for f in (hang, hold, die, memory, exhausted, allocate, slow)}
EPOCH = 3


def put_faults_in():
    fit, tell = RunExecutor._fit, Heartbeat.epoch_ended
    fault = []

    def fit_with_fault(self, lease, heartbeat, run, tables):
        if run.tags.get("fault") == "build":
            wait_to_build()
        fault[:] = [FAULTS.get(run.tags.get("fault", ""))]
        return fit(self, lease, heartbeat, run, tables)

    def tell_and_fail(self, epoch, logs, fit):
        tell(self, epoch, logs, fit)
        if fault[0] is not None and epoch >= EPOCH:
            fault[0]()

    RunExecutor._fit = fit_with_fault
    Heartbeat.epoch_ended = tell_and_fail


if __name__ == "__main__":
    put_faults_in()
    main()
