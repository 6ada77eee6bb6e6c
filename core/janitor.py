"""Requeue or fail lost runs and datasets, send unsent messages, delete what has expired.

What has expired are rows that are older than the retention settings keep, checkpoints of
ended runs, and files that dead processes left. Histories are compacted, too. Any number
of processes may run a janitor.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import starmap, takewhile

from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.sessions import Database
from core.datasets.maintenance import DatasetMaintenance
from core.errors import StorageUnavailable
from core.idempotency.repository import sweep_keys
from core.orphan_files import remove_orphan_files
from core.queue import READ, TRAIN, Queue
from core.retention.expired import Kind
from core.retention.passes import Passes
from core.retention.remove import WITH_FILES, Retention
from core.runs.checkpoint_files import remove_orphans
from core.runs.maintenance import RunMaintenance
from core.settings import RetentionRules, RunTimes
from core.storage import Storage
from core.storage.scratch import keep_scratch
from core.threads import PeriodicThread
from fitserve.enums import DatasetStatus, RunStatus
from fitserve.problem_types import ProblemType
from fitserve.problems import Problem

log = logging.getLogger(__name__)


def worker_lost(attempts: int) -> Problem:
    """Return the problem of a run whose worker died in every attempt."""
    return ProblemType.WORKER_LOST.problem(
        f"The process that trained this run died {attempts} times. The usual reason is "
        "a network that needs more memory than the worker has: use fewer units or a "
        "smaller batch, or ask the operator for a larger worker.",
    )


def reader_lost(attempts: int) -> Problem:
    """Return the problem of a dataset whose reader died in every attempt."""
    return ProblemType.WORKER_LOST.problem(
        f"The process that read this CSV died {attempts} times, most likely because it "
        "needed too much memory. Upload the file in parts, or ask the operator for a "
        "larger worker.",
    )


_FILES_EVERY = 12
"""Expired rows and files wait for this many pauses; each sweep asks the storage."""
_ORPHANS_EVERY_SECONDS = 3_600.0


class Janitor:
    """Run all jobs again and again, in two threads.

    One has what runs and datasets wait for. The other has what can wait: histories,
    expired rows and files. A storage that does not answer delays only the latter.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        queue: Queue,
        times: RunTimes,
        rules: RetentionRules | None = None,
    ) -> None:
        seconds = times.janitor_seconds
        self._threads = [
            PeriodicThread("janitor", seconds, self.sweep, jitter=0.2),
            PeriodicThread(
                "file-janitor",
                _FILES_EVERY * seconds,
                self.sweep_expired_and_files,
                jitter=0.2,
            ),
        ]
        self._database = database
        self._storage = storage
        self._queue = queue
        self._times = times
        self._retention = Retention(database, storage, rules or RetentionRules())
        self._passes = Passes(self._retention)
        self._next_orphans = 0.0

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads, and wait a moment for a sweep in progress."""
        for thread in self._threads:
            thread.stop()

    def sweep(self) -> list[str]:
        """Requeue lost runs, fail those lost too often, and send unsent messages.

        Returns the ids of the runs whose messages were sent.
        """
        with self._database.write() as session:
            runs = RunMaintenance(session)
            runs.requeue_lost(self._times.max_attempts)
            for run in runs.lost_for_good(self._times.max_attempts):
                run.status = RunStatus.FAILED
                run.error = worker_lost(self._times.max_attempts)
                run.ended_at = utc_now()
            runs.forget_checkpoints()
            due_runs = runs.take_unsent(self._times.requeue_after_seconds)
            tags = runs.worker_tags(due_runs)
            due_datasets = self._sweep_datasets(session)
            sweep_keys(session, self._times.idempotency_seconds)
        return self._send(due_runs, due_datasets, tags)

    def _send(
        self, run_ids: list[str], dataset_ids: list[str], tags: Mapping[str, str]
    ) -> list[str]:
        """Send messages until the broker fails. Return the ids of the runs sent.

        The other rows are due again at the next sweep. So a broker that hangs delays a
        sweep by one message, not by all of them.
        """
        messages = [(TRAIN, one, tags.get(one, "")) for one in run_ids] + [
            (READ, one, "") for one in dataset_ids
        ]
        sent = sum(takewhile(bool, starmap(self._queue.send, messages)))
        num_datasets = max(0, sent - len(run_ids))
        if sent < len(messages):
            with self._database.write() as session:
                RunMaintenance(session).mark_unsent(run_ids[sent:])
                DatasetMaintenance(session).mark_unsent(dataset_ids[num_datasets:])
        return run_ids[:sent]

    def sweep_expired_and_files(self) -> None:
        """Compact histories, delete expired rows, and remove files that nothing needs.

        Each job runs even if another one fails. If the storage does not answer, those
        that need it wait for the next sweep.
        """
        keep_scratch()
        jobs: dict[str, Callable[[], object]] = {
            "compacting histories": self._retention.compact_histories,
            **self._removals(kind for kind in Kind if kind not in WITH_FILES),
            **self._removals(WITH_FILES),
            "sweeping checkpoints": self._sweep_checkpoints,
            "sweeping orphans": self._sweep_orphans,
        }
        for name, job in jobs.items():
            try:
                job()
            except StorageUnavailable as error:  # of the first job that needs it
                log.warning("%s, and what needs the storage, waits: %s", name, error)
                return
            except Exception:  # the other jobs must still run
                log.exception("%s failed; the janitor will try again", name)

    def _removals(self, kinds: Iterable[Kind]) -> dict[str, Callable[[], object]]:
        return {f"deleting old {k}": partial(self._passes.remove, k) for k in kinds}

    def _sweep_checkpoints(self) -> None:
        with self._database.read() as session:
            remove_orphans(self._storage, session)

    def _sweep_orphans(self) -> None:
        """Remove orphan files, once an hour, because this lists every file."""
        if time.monotonic() < self._next_orphans:
            return
        self._next_orphans = time.monotonic() + _ORPHANS_EVERY_SECONDS
        with self._database.read() as session:
            gone = remove_orphan_files(self._storage, session)
        if gone:
            log.info("removed %d files that dead processes had left", len(gone))

    def _sweep_datasets(self, session: Session) -> list[str]:
        """Fail datasets lost too often. Return the ids that are due, marked as sent."""
        datasets = DatasetMaintenance(session)
        for dataset in datasets.lost_for_good(self._times.max_attempts):
            dataset.status = DatasetStatus.FAILED
            dataset.error = reader_lost(self._times.max_attempts)
        return datasets.take_unsent(self._times.requeue_after_seconds)
