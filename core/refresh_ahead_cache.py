"""A cache that re-reads the values in use before they become too old."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from core.threads import PeriodicThread

Key = TypeVar("Key")
Value = TypeVar("Value")
FOREVER = float("inf")

log = logging.getLogger(__name__)


class _Entry(Generic[Value]):
    """A value, the time until which it may be used, and the time when it expires."""

    __slots__ = ("expires", "is_used", "until", "value")

    def __init__(self, value: Value, until: float, expires: float) -> None:
        self.value = value
        self.until = until
        self.expires = expires
        self.is_used = True


class RefreshAheadCache(Generic[Key, Value]):
    """Values from the database by key, none of them older than `max_age`.

    A thread re-reads the values that were used since its last read, so that a request
    never waits for a value in use. Values stay valid while the database is unavailable.

    Args:
        name: the name of the thread.
        max_age: seconds for which a value may be used.
        reread: returns the current values of the given keys; missing keys are removed.
        capacity: the largest number of values.
        grace: seconds for which values stay valid while the database is unavailable.

    """

    def __init__(
        self,
        name: str,
        max_age: float,
        reread: Callable[[Mapping[Key, Value]], Mapping[Key, Value]],
        *,
        capacity: int = 10_000,
        grace: float = FOREVER,
    ) -> None:
        self._max_age = max_age
        self._reread = reread
        self._capacity = capacity
        self._grace = grace
        self._entries: dict[Key, _Entry[Value]] = {}
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._read_at = time.monotonic()
        self._is_unavailable = False
        self._thread = PeriodicThread(name, max_age / 2, self._refresh_or_extend)

    def peek(self, key: Key) -> Value | None:
        """Return the value if it is fresh; never query the database."""
        entry = self._entries.get(key)
        if entry is None or time.monotonic() >= entry.until:
            return None
        entry.is_used = True
        return entry.value

    def put(self, key: Key, value: Value, seconds: float = FOREVER) -> None:
        """Store a value that was just read and that expires after `seconds`."""
        now = time.monotonic()
        entry = _Entry(value, now + min(self._max_age, seconds), now + seconds)
        with self._lock:
            if len(self._entries) >= self._capacity:
                self._make_room(now)
            self._entries[key] = entry

    def pin(self, key: Key, value: Value) -> None:
        """Store a value that never expires and is never re-read."""
        with self._lock:
            self._entries[key] = _Entry(value, FOREVER, FOREVER)

    def drop(self, matches: Callable[[Key, Value], bool]) -> None:
        """Remove the values that match."""
        with self._lock:
            for key in [k for k, e in self._entries.items() if matches(k, e.value)]:
                del self._entries[key]

    def peek_stale(self, key: Key) -> Value | None:
        """Return the value even if it is too old."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._thread.stop()

    def refresh(self, matches: Callable[[Key], bool] | None = None) -> None:
        """Re-read the values in use, or those whose keys match.

        One refresh runs at a time, so that an older value never replaces a newer one.
        """
        with self._refreshing:
            began = time.monotonic()
            entries = self._take_used(matches)
            found = self._read_again(entries) if entries else {}
            with self._lock:
                for key, entry in entries.items():
                    self._renew(key, entry, found)
            self._read_at = began

    def _take_used(
        self, matches: Callable[[Key], bool] | None
    ) -> dict[Key, _Entry[Value]]:
        with self._lock:
            found = {
                key: entry
                for key, entry in self._entries.items()
                if entry.until != FOREVER
                and (entry.is_used if matches is None else matches(key))
            }
        for entry in found.values():
            entry.is_used = False
        return found

    def _read_again(self, entries: dict[Key, _Entry[Value]]) -> Mapping[Key, Value]:
        try:
            return self._reread({key: entry.value for key, entry in entries.items()})
        except BaseException:
            for entry in entries.values():  # the next call reads them again
                entry.is_used = True
            raise

    def _renew(self, key: Key, entry: _Entry[Value], found: Mapping[Key, Value]) -> None:
        if self._entries.get(key) is not entry:  # dropped or replaced meanwhile
            return
        if key in found:
            entry.value = found[key]
            entry.until = min(time.monotonic() + self._max_age, entry.expires)
        else:
            del self._entries[key]

    def _refresh_or_extend(self) -> None:
        began = time.monotonic()
        try:
            self.refresh()
        except SQLAlchemyError:
            if not self._is_unavailable:
                log.warning(
                    "%s: the database is unavailable; cached values stay valid",
                    self._thread.name,
                )
            self._is_unavailable = True
            self._extend(began)
        else:
            self._is_unavailable = False

    def _extend(self, since: float) -> None:
        """Extend the values that were still valid at the time `since` by `max_age`."""
        now = time.monotonic()
        if now > self._read_at + self._grace:
            return
        for entry in list(self._entries.values()):
            if entry.until > since - self._max_age:
                until = min(now + self._max_age, entry.expires)
                entry.until = max(entry.until, until)

    def _make_room(self, now: float) -> None:
        fresh = {k: e for k, e in self._entries.items() if e.until > now}
        if len(fresh) >= self._capacity:
            fresh = {k: e for k, e in fresh.items() if e.until == FOREVER}
        self._entries = fresh
