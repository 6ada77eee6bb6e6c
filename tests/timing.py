"""A clock that only the test moves, and a function that waits for a condition."""

import time
from collections.abc import Callable


class Clock:
    """A replacement for the module `time` in a module under test."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        """The time in seconds; only the test and `sleep` change it."""

    def monotonic(self) -> float:
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def until(is_so: Callable[[], object], seconds: float = 30.0) -> None:
    """Return as soon as `is_so()` is true; fail if that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
