"""Cause a fault in the third epoch of a fit whose run has the tag `fault`."""

import ctypes
import os
import signal
from collections.abc import Callable

import numpy as np

EPOCH = 3


class ResourceExhaustedError(Exception):
    """An error with the name of TensorFlow's error; the worker compares the name."""


def die() -> None:
    """Kill the process, as the kernel's out-of-memory killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    """Hang in native code that lets other threads run."""
    ctypes.CDLL(None).sleep(3600)


def memory() -> None:
    """Raise Python's error."""
    raise MemoryError("no more")


def exhausted() -> None:
    """Raise TensorFlow's error."""
    raise ResourceExhaustedError("OOM when allocating tensor")


def allocate() -> None:
    """Run out of real memory, which the tests limit by `prlimit --as`."""
    np.ones(2**30)


FAULTS: dict[str, Callable[[], None]] = {
    f.__name__: f for f in (die, hang, memory, exhausted, allocate)
}


def cause(fault: str, epoch: int) -> None:
    """Cause the fault if the epoch is the third."""
    if fault in FAULTS and epoch == EPOCH:
        FAULTS[fault]()
