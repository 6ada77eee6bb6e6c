"""Return the memory of an idle child to the operating system, and end an idle reader.

The allocator keeps freed memory for the next run, and TensorFlow keeps every function
that XLA has compiled until its process ends.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from billiard.pool import EX_RECYCLE

from core.freed_memory import return_freed_memory
from core.threads import PeriodicThread

_SECONDS = 5.0
"""The pause between two checks; the first check after a task trims the memory."""
_IDLE_SECONDS = 120.0
_READER_IDLE_SECONDS = 300.0
_GROWN_BYTES = 256 * 2**20
"""A child that has grown by more is large; its first run takes about 200 MiB."""
_PAGE = os.sysconf("SC_PAGE_SIZE")

log = logging.getLogger(__name__)


class IdleMemory(PeriodicThread):
    """Trim the memory of an idle child, and replace the child if it stays large.

    Args:
        end_child: ends this child, so that its worker forks another one.
        seconds: the pause between two checks.
        idle_seconds: how long a large child must be idle.
        grown_bytes: the growth since its start that makes a child large.
        must_be_large: whether a small child stays, however long it is idle.

    """

    def __init__(
        self,
        end_child: Callable[[], object] = lambda: os._exit(EX_RECYCLE),
        seconds: float = _SECONDS,
        idle_seconds: float = _IDLE_SECONDS,
        grown_bytes: int = _GROWN_BYTES,
        *,
        must_be_large: bool = True,
    ) -> None:
        super().__init__("idle memory", seconds, self.check)
        self._end_child = end_child
        self._must_be_large = must_be_large
        self._idle_seconds = idle_seconds
        self._large_bytes = resident_bytes() + grown_bytes
        self._lock = threading.Lock()
        self._is_busy = False
        self._is_trimmed = True
        self._idle_since = time.monotonic()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Keep the child until the block ends."""
        with self._lock:  # a check in progress may end the child
            self._is_busy, self._is_trimmed = True, False
        try:
            yield
        finally:
            with self._lock:
                self._is_busy, self._idle_since = False, time.monotonic()

    def check(self) -> None:
        """Trim the memory after each task; end the child if it stays idle and large."""
        with self._lock:
            if self._is_busy:
                return
            if not self._is_trimmed:
                self._is_trimmed = True
                return_freed_memory()
            if time.monotonic() - self._idle_since < self._idle_seconds:
                return
            resident = resident_bytes()
            if resident > self._large_bytes or not self._must_be_large:
                size = resident // 2**20
                log.info("ending this idle process, which uses %d MiB", size)
                self._end_child()


def reader_on_demand() -> IdleMemory:
    """Return the thread that ends a reader, parent and child, when it stays idle.

    The supervisor starts the reader again when a dataset waits.
    """
    return IdleMemory(
        lambda: os.kill(os.getppid(), signal.SIGTERM),
        idle_seconds=_READER_IDLE_SECONDS,
        must_be_large=False,
    )


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 on a system without /proc."""
    with suppress(FileNotFoundError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    return 0
