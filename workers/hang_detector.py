"""Detect a fit that hangs in native code.

A fit checks its time limit between two calls of native code. A fit that hangs in such a
call never checks the limit again, but its heartbeat thread continues.
"""

import math
import os
import signal
import threading
import time
from collections.abc import Callable

_GRACE_SECONDS = 5.0
_GRACE_CALLS = 2.0
"""This many durations of the last call are added to the grace after the time limit."""
_TRACING_SECONDS = 30.0
"""The grace before the first call: tracing takes seconds on a busy machine."""
_LEAST_ALARM_SECONDS = 60.0


class HangDetector:
    """A detector for one thread that hangs after its time limit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadline = math.inf
        self._last_report = time.monotonic()
        self._grace = _TRACING_SECONDS

    def begin(self, seconds: float) -> None:
        """Begin a stage that may take `seconds`."""
        with self._lock:
            self._last_report = time.monotonic()
            self._deadline = self._last_report + seconds
            self._grace = _TRACING_SECONDS

    def heard(self) -> None:
        """Record, between two native calls, that the thread is alive."""
        now = time.monotonic()
        with self._lock:
            self._grace = _GRACE_SECONDS + _GRACE_CALLS * (now - self._last_report)
            self._last_report = now

    def is_hung(self) -> bool:
        """Return whether the time limit of the stage and its grace have passed."""
        with self._lock:
            return time.monotonic() > self._deadline + self._grace


SilenceAlarm = Callable[[float], object]


def kernels_alarm(seconds: float) -> None:
    """Let the kernel end this process unless the next call comes in time; 0 cancels that.

    The alarm works even if native code keeps every Python thread from running. The signal
    must have its default action.
    """
    alarm_seconds = max(_LEAST_ALARM_SECONDS, seconds) if seconds else 0.0
    signal.setitimer(signal.ITIMER_REAL, alarm_seconds)


def end_process() -> None:
    """End this process at once. Celery then starts another child."""
    os.kill(os.getpid(), signal.SIGKILL)
