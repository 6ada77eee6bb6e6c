"""A worker that causes faults: the tag `fault` of a run names the fault of its child.

The tests start `python -m tests.workers.faulty_worker runs`; forked children inherit
the replaced methods. Only the tests can reach this code.
"""

import ctypes
import os
import resource
import signal
import time
from pathlib import Path

import psutil
import tensorflow as tf

from workers.__main__ import main  # first: it sets how TensorFlow is loaded
from workers.heartbeat import Heartbeat
from workers.run_executor import RunExecutor


def hang():
    """Hang in native code that lets other threads run."""
    ctypes.CDLL(None).sleep(3600)


def hold():
    """Hang in native code that blocks all other threads."""
    ctypes.PyDLL(None).sleep(3600)


def die():
    """Kill the process, as the kernel's out-of-memory killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


def memory():
    raise MemoryError("no more")


def exhausted():
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


def allocate():
    """Run out of real memory in NumPy or TensorFlow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 256 * 2**20, hard))
    try:
        tf.random.normal((2**15, 2**15)).numpy()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def slow():
    """Make epochs long enough for a test to act between two of them."""
    time.sleep(0.02)


def wait_to_build():
    """Wait until the test creates a file, as during a long trace."""
    while not (Path(os.environ["FITSERVE_HOME"]) / "build").exists():
        time.sleep(0.05)


def meet(run):
    """Wait at the end of a run until the runs with the same tag `meet` are at theirs."""
    folder = Path(os.environ["FITSERVE_HOME"]) / run.tags["meet"]
    folder.mkdir(exist_ok=True)
    (folder / run.id).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.005)


FAULTS = {f.__name__: f for f in (hang, hold, die, memory, exhausted, allocate, slow)}
EPOCH = 3


def put_faults_in():
    fit, finish, epoch_ended = (
        RunExecutor._fit,
        RunExecutor._finish,
        Heartbeat.epoch_ended,
    )
    fault = []

    def fit_with_fault(self, lease, heartbeat, run, *rows):
        if run.tags.get("fault") == "build":
            wait_to_build()
        fault[:] = [FAULTS.get(run.tags.get("fault", ""))]
        return fit(self, lease, heartbeat, run, *rows)

    def finish_together(self, lease, heartbeat, run, *rest):
        if "meet" in run.tags:
            meet(run)
        return finish(self, lease, heartbeat, run, *rest)

    def report_and_fail(self, epoch, logs, fit):
        epoch_ended(self, epoch, logs, fit)
        if fault[0] is not None and epoch >= EPOCH:
            fault[0]()

    RunExecutor._fit = fit_with_fault
    RunExecutor._finish = finish_together
    Heartbeat.epoch_ended = report_and_fail


if __name__ == "__main__":
    put_faults_in()
    main()
