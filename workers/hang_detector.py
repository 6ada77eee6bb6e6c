"""Detects a fit that hangs in native code.

A fit checks its time limit between two calls of native code. A fit that hangs in such a
call never checks it again, while its heartbeat, another thread, continues.
"""

import math
import os
import signal
import threading
import time
from collections.abc import Callable

_GRACE_SECONDS = 5.0
_GRACE_CALLS = 2.0
"""How many calls as long as the last one a fit may make after its time limit."""
_TRACING_SECONDS = 30.0
"""Before the first call: tracing a network takes seconds on a busy machine."""
_MUTE_SECONDS = 60.0


class HangDetector:
    """Detects that a thread has not reported a call for too long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadline = math.inf
        self._heard = time.monotonic()
        self._grace = _TRACING_SECONDS

    def begin(self, seconds: float) -> None:
        """Begin a stage that may take so many seconds."""
        with self._lock:
            self._heard = time.monotonic()
            self._deadline = self._heard + seconds
            self._grace = _TRACING_SECONDS

    def heard(self) -> None:
        """Record that the thread is alive, between two calls."""
        now = time.monotonic()
        with self._lock:
            self._grace = _GRACE_SECONDS + _GRACE_CALLS * (now - self._heard)
            self._heard = now

    def is_hung(self) -> bool:
        """Return whether the stage should have ended some time ago."""
        with self._lock:
            return time.monotonic() > self._deadline + self._grace


SilenceAlarm = Callable[[float], object]


def kernels_alarm(seconds: float) -> None:
    """Let the kernel end this process unless this is called again in time; 0 stops that.

    This ends native code that also keeps Python's other threads from running. The signal
    must have its default action.
    """
    mute = max(_MUTE_SECONDS, seconds) if seconds else 0.0
    signal.setitimer(signal.ITIMER_REAL, mute)


def end_process() -> None:
    """End this process at once; the worker starts another child."""
    os.kill(os.getpid(), signal.SIGKILL)
