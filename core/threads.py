"""Background threads that repeat one piece of work."""

import contextvars
import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

log = logging.getLogger(__name__)

STOP_SECONDS = 3.0
"""How long `stop` waits for work in progress, so that its connection is not closed."""


class PeriodicThread(threading.Thread):
    """A daemon thread that calls a function every few seconds until it is stopped.

    An exception is logged, and the function is called again after the next pause. The
    thread's log lines have the log context of the caller of `start`.

    Args:
        name: the name of the thread, which log lines show.
        seconds: the pause between two calls.
        work: the function to call.
        is_eager: whether the thread makes the first call without a pause.
        jitter: the largest deviation of a pause, as a fraction of the pause, so that
            many processes do not work at the same moment.

    """

    def __init__(
        self,
        name: str,
        seconds: float,
        work: Callable[[], object],
        *,
        is_eager: bool = False,
        jitter: float = 0.0,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._seconds = seconds
        self._work = work
        self._is_eager = is_eager
        self._jitter = jitter
        # not the global generator: draws from it would change a seeded fit
        self._random = random.Random()  # noqa: S311  no secret
        self._stopping = threading.Event()
        self._has_failed = False

    @property
    def is_stopping(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start the thread in a copy of the caller's context."""
        self._log_context = contextvars.copy_context()
        super().start()

    def run(self) -> None:
        """Call the function until the thread is stopped."""
        self._log_context.run(self._repeat)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop the thread, and wait at most `seconds` for a call in progress."""
        self._stopping.set()
        if self.is_alive():
            self.join(seconds)

    @contextmanager
    def running(self, stop_seconds: float = STOP_SECONDS) -> Iterator[Self]:
        """Run the thread until the block ends."""
        self.start()
        try:
            yield self
        finally:
            self.stop(stop_seconds)

    def _repeat(self) -> None:
        if self._is_eager:
            self._call()
        while not self._stopping.wait(self._pause()):
            self._call()

    def _pause(self) -> float:
        return self._seconds * (1 + self._jitter * self._random.uniform(-1, 1))

    def _call(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  the next call may succeed
            self._log(error)
            self._has_failed = True
        else:
            self._has_failed = False

    def _log(self, error: Exception) -> None:
        """Log a failure, with its traceback if the previous call succeeded."""
        what = f"{type(error).__name__} in the thread {self.name}; it will try again"
        log.error("%s", what, exc_info=None if self._has_failed else error)
