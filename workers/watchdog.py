"""Notices a worker that has gone deaf, and ends it so that it is started again.

A Celery worker can lose its broker and live on without hearing anything: an idle child
sees runs wait in the database that nobody rings it for. The one cure is a new worker.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.database.sessions import Database
from core.datasets.maintenance import DatasetMaintenance
from core.runs.maintenance import RunMaintenance
from core.settings import RunTimes

Waiting = Callable[[Session], list[str]]

log = logging.getLogger(__name__)


def waiting_runs(session: Session) -> list[str]:
    """Runs that no worker has taken."""
    return RunMaintenance(session).queued_ids()


def waiting_datasets(session: Session) -> list[str]:
    """Datasets that no worker reads."""
    return DatasetMaintenance(session).waiting_ids()


class Watchdog(threading.Thread):
    """A daemon thread of a child.

    Args:
        database: where work waits.
        waiting: what waits there for this child.
        times: how often to look, how long to bear it.
        is_busy: whether this child is at work; a busy one cannot tell.

    """

    def __init__(
        self,
        database: Database,
        waiting: Waiting,
        times: RunTimes,
        is_busy: Callable[[], bool],
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._database = database
        self._waiting = waiting
        self._times = times
        self._is_busy = is_busy
        self._waiting_since: dict[str, float] = {}

    def run(self) -> None:
        while True:
            time.sleep(self._times.sweep_seconds)
            try:
                if self.is_deaf():
                    _end_worker()
                    self._waiting_since.clear()
            except SQLAlchemyError:
                log.exception("could not look for what waits")

    def is_deaf(self) -> bool:
        """Whether something has waited too long in front of this idle child."""
        if self._is_busy():
            self._waiting_since.clear()
            return False
        with self._database.read() as session:
            queued = self._waiting(session)
        now = time.monotonic()
        self._waiting_since = {i: self._waiting_since.get(i, now) for i in queued}
        longest = now - min(self._waiting_since.values(), default=now)
        return longest > self._times.deaf_after_seconds


def _end_worker() -> None:
    log.error("work waits and no message comes: this worker is deaf and ends itself")
    os.kill(os.getppid(), signal.SIGTERM)
