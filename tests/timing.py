"""Time in tests: a clock that only the test moves, and waiting for a condition."""

import time
from collections.abc import Callable


class Clock:
    """A replacement for the module `time` in a module under test."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds, which only the test changes."""

    def monotonic(self) -> float:
        return self.now


def until(is_so: Callable[[], object], seconds: float = 60.0) -> None:
    """Return as soon as `is_so()` is true; fail if that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
