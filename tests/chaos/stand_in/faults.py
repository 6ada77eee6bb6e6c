"""What befalls a fit whose run has the tag `fault`, at its third epoch."""

import ctypes
import os
import signal
from collections.abc import Callable

import numpy as np

EPOCH = 3


class ResourceExhaustedError(Exception):
    """Of TensorFlow's name, by which it is known."""


def die() -> None:
    """As by the kernel's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    """In native code that lets other threads run."""
    ctypes.CDLL(None).sleep(3600)


def memory() -> None:
    """As Python tells it."""
    raise MemoryError("no more")


def exhausted() -> None:
    """As TensorFlow tells it."""
    raise ResourceExhaustedError("OOM when allocating tensor")


def allocate() -> None:
    """For want of real memory, where the harness has set a limit (`prlimit --as`)."""
    np.ones(2**30)


FAULTS: dict[str, Callable[[], None]] = {
    f.__name__: f for f in (die, hang, memory, exhausted, allocate)
}


def befall(fault: str, epoch: int) -> None:
    """Let it happen, if this is its epoch."""
    if fault in FAULTS and epoch == EPOCH:
        FAULTS[fault]()
