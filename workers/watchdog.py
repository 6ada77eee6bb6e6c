"""Restart a worker that no longer receives messages from the broker.

A Celery worker can lose its broker without an error. If runs then wait in the database
while a child process is idle, the child ends its worker, and the supervisor restarts it.
"""

import logging
import os
import signal
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from core.database.sessions import Database
from core.datasets.maintenance import DatasetMaintenance
from core.runs.maintenance import RunMaintenance
from core.runs.next_run import Slot
from core.settings import RunTimes
from core.threads import PeriodicThread

FindWaiting = Callable[[Session], list[str]]

log = logging.getLogger(__name__)


def waiting_runs(slot: Callable[[], Slot]) -> FindWaiting:
    """Return a function that returns the ids of runs that wait for this process."""
    return lambda session: RunMaintenance(session).waiting_ids(slot())


def waiting_datasets(session: Session) -> list[str]:
    """Return the ids of datasets that no worker has claimed."""
    return DatasetMaintenance(session).waiting_ids()


class Watchdog(PeriodicThread):
    """Check from an idle child whether its worker still receives messages.

    Args:
        database: the database with the waiting runs or datasets.
        waiting: returns the ids of the waiting runs or datasets.
        times: how often to check, and how long work may wait.
        is_busy: returns whether this child is busy, so that work may have to wait.

    """

    def __init__(
        self,
        database: Database,
        waiting: FindWaiting,
        times: RunTimes,
        is_busy: Callable[[], bool],
    ) -> None:
        super().__init__("watchdog", times.janitor_seconds, self.check)
        self._database = database
        self._waiting = waiting
        self._times = times
        self._is_busy = is_busy
        self._waiting_since: dict[str, float] = {}

    def check(self) -> None:
        """End the worker if it receives no messages."""
        if self.misses_messages():
            _end_worker()
            self._waiting_since.clear()

    def misses_messages(self) -> bool:
        """Return whether work has waited too long while this child was idle."""
        if self._is_busy():
            self._waiting_since.clear()
            return False
        with self._database.read() as session:
            queued = self._waiting(session)
        now = time.monotonic()
        self._waiting_since = {i: self._waiting_since.get(i, now) for i in queued}
        longest = now - min(self._waiting_since.values(), default=now)
        return longest > self._times.missed_message_seconds


def _end_worker() -> None:
    log.error("work is waiting, but this worker receives no messages; restarting it")
    os.kill(os.getppid(), signal.SIGTERM)
