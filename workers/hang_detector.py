"""Knows when the thread that trains ought to have given a sign of life long ago.

A fit looks at its time limit between two calls of native code. One that hangs inside of
such a call never looks again, while its heartbeat, a thread of its own, goes on.
"""

import math
import os
import signal
import threading
import time
from collections.abc import Callable

_GRACE_SECONDS = 5.0
_GRACE_CALLS = 2.0
"""How many calls as long as its last one a fit may still take when its time is up."""
_TRACING_SECONDS = 30.0
"""Before the first sign of life: tracing a network takes seconds on a busy machine."""
_MUTE_SECONDS = 60.0


class HangDetector:
    """Told of stages and of signs of life by one thread, asked by another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadline = math.inf
        self._heard = time.monotonic()
        self._grace = _TRACING_SECONDS

    def begin(self, seconds: float) -> None:
        """A stage begins that shall take no longer than so many seconds."""
        with self._lock:
            self._heard = time.monotonic()
            self._deadline = self._heard + seconds
            self._grace = _TRACING_SECONDS

    def heard(self) -> None:
        """The thread is alive, between two calls."""
        now = time.monotonic()
        with self._lock:
            self._grace = _GRACE_SECONDS + _GRACE_CALLS * (now - self._heard)
            self._heard = now

    def is_hung(self) -> bool:
        """Whether the stage should have been over for some time."""
        with self._lock:
            return time.monotonic() > self._deadline + self._grace


SilenceAlarm = Callable[[float], object]


def kernels_alarm(seconds: float) -> None:
    """Have the kernel end this process unless it is asked again in time; 0: never.

    For native code that also keeps Python's other threads from running. The signal must
    have its default action.
    """
    mute = max(_MUTE_SECONDS, seconds) if seconds else 0.0
    signal.setitimer(signal.ITIMER_REAL, mute)


def end_process() -> None:
    """At once, whatever its other threads are in; the worker starts another child."""
    os.kill(os.getpid(), signal.SIGKILL)
