"""Finds runs and datasets that nobody holds and rings for them again.

Any number may sweep.
"""

import logging
import random
import threading
import time
from functools import partial

from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.sessions import Database, after_commit
from core.datasets.maintenance import DatasetMaintenance
from core.idempotency.repository import sweep_keys
from core.orphan_files import STALE_SECONDS, remove_orphan_files
from core.queue import READ, TRAIN, Queue
from core.runs.checkpoint_files import remove_orphans
from core.runs.maintenance import RunMaintenance
from core.settings import RunTimes
from core.storage import Storage
from core.threads import let_end
from fitserve.enums import DatasetStatus, RunStatus
from fitserve.problem_types import ProblemType
from fitserve.problems import Problem

log = logging.getLogger(__name__)


def worker_lost(attempts: int) -> Problem:
    """The problem of a run whose worker died every time."""
    return ProblemType.WORKER_LOST.problem(
        f"The process that trained this run died {attempts} times. A network "
        "that needs more memory than the worker has is the usual reason: try fewer "
        "units, fewer rows a batch, or ask the operator for a larger worker.",
    )


def reader_lost(attempts: int) -> Problem:
    """The problem of a dataset whose reader died every time."""
    return ProblemType.WORKER_LOST.problem(
        f"The process that read this CSV died {attempts} times, most likely for "
        "want of memory; upload it in parts, or ask the operator for a larger worker.",
    )


class Janitor(threading.Thread):
    """A daemon thread that sweeps every few seconds until it is stopped."""

    def __init__(
        self, database: Database, storage: Storage, queue: Queue, times: RunTimes
    ) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._database = database
        self._storage = storage
        self._queue = queue
        self._times = times
        self._stopped = threading.Event()
        self._next_leftovers = 0.0

    def run(self) -> None:
        # each sweeper at a pace of its own, so that they spread out
        pause = self._times.sweep_seconds * random.uniform(0.8, 1.2)  # noqa: S311  no secret
        while not self._stopped.wait(pause):
            self.sweep_all()

    def sweep_all(self) -> None:
        """Do each job once; one that fails holds up no other, and is tried again."""
        for job in (self.sweep, self.sweep_files, self._sweep_leftovers):
            try:
                job()
            except Exception:  # without this thread lost runs stay lost
                log.exception("%s failed; the next sweep will try again", job.__name__)

    def stop(self) -> None:
        """Sweep no more; a sweep at work may end first."""
        self._stopped.set()
        let_end(self)

    def sweep(self) -> list[str]:
        """Requeue lost runs, fail those lost too often, send what waits unsent."""
        with self._database.write() as session:
            runs = RunMaintenance(session)
            runs.requeue_lost(self._times.max_attempts)
            for run in runs.lost_for_good(self._times.max_attempts):
                run.status = RunStatus.FAILED
                run.error = worker_lost(self._times.max_attempts)
                run.ended_at = utc_now()
            runs.forget_checkpoints()
            due = runs.take_unsent(self._times.requeue_after_seconds)
            for run_id in due:
                after_commit(session, partial(self._queue.send, TRAIN, run_id))
            self._sweep_datasets(session)
            sweep_keys(session, self._times.idempotency_seconds)
        return due

    def sweep_files(self) -> None:
        """Remove checkpoints that no run will go on from."""
        with self._database.read() as session:
            remove_orphans(self._storage, session)

    def _sweep_leftovers(self) -> None:
        """Now and then: it looks at every file there is."""
        if time.monotonic() < self._next_leftovers:
            return
        self._next_leftovers = time.monotonic() + STALE_SECONDS
        with self._database.read() as session:
            gone = remove_orphan_files(self._storage, session)
        if gone:
            log.info("%d files removed that dead processes had left", len(gone))

    def _sweep_datasets(self, session: Session) -> None:
        datasets = DatasetMaintenance(session)
        for dataset in datasets.lost_for_good(self._times.max_attempts):
            dataset.status = DatasetStatus.FAILED
            dataset.error = reader_lost(self._times.max_attempts)
        for dataset_id in datasets.take_unsent(self._times.requeue_after_seconds):
            after_commit(session, partial(self._queue.send, READ, dataset_id))
