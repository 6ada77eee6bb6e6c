"""Keep a value that is slow to read, and read it again in a thread."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")
_SHARE = 20
"""Reading takes at most 1/20 of the time."""
_QUICK_SECONDS = 0.05
"""A caller waits for a value that was read in less time."""
_LOST_SECONDS = 600.0
"""A thread that has not read the value after this time is replaced by another one."""

log = logging.getLogger(__name__)


class CachedReading(Generic[Value]):
    """A value from the database that is read again when it is old.

    A caller waits for the first value, and for one that is quick to read. Otherwise a
    thread reads the next value while callers get the last one, which stays while the
    database is unavailable.

    Args:
        name: the name of the thread.
        read: reads the value.
        least_seconds: the least time between two reads.

    """

    def __init__(
        self, name: str, read: Callable[[], Value], least_seconds: float
    ) -> None:
        self._name = name
        self._read = read
        self._least_seconds = least_seconds
        self._lock = threading.Lock()
        self._value: Value | None = None
        self._is_slow = False
        self._read_at = self._due_at = 0.0

    def get(self, *, may_be_old: bool = True) -> Value:
        """Return the value. Raise the database's errors if the caller waits for it.

        If `may_be_old` is false, return only a value read within `least_seconds`.
        """
        with self._lock:
            now = time.monotonic()
            is_new = now < self._read_at + self._least_seconds
            if self._value is not None and (
                is_new or (may_be_old and now < self._due_at)
            ):
                return self._value
            if self._value is None or not (self._is_slow and may_be_old):
                return self._renew()
            self._renew_in_thread(now)
            return self._value

    def _renew(self) -> Value:
        began = time.monotonic()
        value = self._read()
        ended = time.monotonic()
        if began >= self._read_at:  # else a later reading has already ended
            self._value, self._read_at = value, began
            self._is_slow = ended - began >= _QUICK_SECONDS
            pause = _SHARE * (ended - began) if self._is_slow else 0.0
            self._due_at = ended + max(self._least_seconds, pause)
        return value

    def _renew_in_thread(self, now: float) -> None:
        self._due_at = now + _LOST_SECONDS
        work = self._renew_or_keep
        try:
            threading.Thread(target=work, name=self._name, daemon=True).start()
        except RuntimeError as error:  # the system has no thread left
            self._keep(error)

    def _renew_or_keep(self) -> None:
        try:
            self._renew()
        except Exception as error:  # noqa: BLE001  a later call must try again
            self._keep(error)

    def _keep(self, error: Exception) -> None:
        log.warning("%s: the last value stays: %s", self._name, type(error).__name__)
        self._due_at = time.monotonic() + self._least_seconds
