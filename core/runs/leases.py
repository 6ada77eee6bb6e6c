"""Lease a run to a worker, and write the worker's results under the lease.

After another worker has claimed the run, writes of the first worker change nothing and
raise LeaseLost.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.clock import now_ms
from core.database.lease import LeaseTable, time_after
from core.database.sessions import Database
from core.runs.next_run import (
    Slot,
    lock_waiting,
    must_give_way,
    next_runs,
    record_turn,
)
from core.runs.tables import Checkpoint, Epoch, Run
from core.settings import RunTimes
from fitserve.enums import RunStatus, StopReason
from fitserve.problems import Problem

RUN_LEASES = LeaseTable(Run, Run.attempt, (Run.status == RunStatus.RUNNING,))


class LeaseLost(Exception):
    """The run has ended or another worker holds it; this worker must not write."""


@dataclass(frozen=True)
class EpochRow:
    """One epoch's logs (None if not finite) and seconds since the fit began.

    `fit` is the number of the fit within the run, from 1.
    """

    epoch: int
    metrics: dict[str, float | None]
    seconds: float
    fit: int = 1


@dataclass(frozen=True)
class SavedCheckpoint:
    """A published checkpoint: its file, and the epoch after which it was saved."""

    epoch: int
    seconds: float
    key: str
    sha256: str
    num_bytes: int


class Lease:
    """The right to write to a run, which a worker must renew.

    The attempt begins at `checkpoint`; None means epoch 1.
    """

    def __init__(
        self,
        database: Database,
        run_id: str,
        attempt: int,
        seconds: float,
        checkpoint: SavedCheckpoint | None = None,
    ) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.checkpoint = checkpoint
        self.is_small = True
        self._database = database
        self._seconds = seconds

    @classmethod
    def claim(
        cls, database: Database, run_id: str, owner: str, seconds: float
    ) -> "Lease | None":
        """Claim a queued run. Return None if it is no longer queued.

        Epochs after the last checkpoint are deleted: they will be trained again.
        """
        lease = cls(database, run_id, 0, seconds)
        with database.write() as session:
            return lease if lease._claim_in(session, owner) else None

    @classmethod
    def claim_next(
        cls, database: Database, slot: Slot, owner: str, times: RunTimes
    ) -> "Lease | None":
        """Claim the best queued run for a process. Return None if no run waits for it."""
        tried: set[str] = set()
        with database.write() as session:
            while candidates := next_runs(session, slot, times, tried):
                for run_id in candidates:
                    lease = cls(database, run_id, 0, times.lease_seconds)
                    if lock_waiting(session, run_id) and lease._claim_in(session, owner):
                        record_turn(session, run_id)
                        return lease
                tried.update(candidates)
        return None

    def start_anew(self, warning: str) -> None:
        """Begin at epoch 1, without the checkpoint, and add a warning to the run."""
        self.checkpoint = None
        with self._database.write() as session:
            self._begin_in(session)
            _forget(session, self.run_id)
            run = session.get_one(Run, self.run_id)
            run.warnings = [*run.warnings, warning]

    def record_split(
        self, key: str, num_rows: dict[str, int], warnings: list[str]
    ) -> None:
        """Store the rows of each side and the file of the split, or raise LeaseLost."""
        with self._database.write() as session:
            self._update(session, split_key=key, num_rows=num_rows, warnings=warnings)

    def renew(self) -> None:
        """Extend the lease, or raise LeaseLost."""
        with self._database.write() as session:
            self.hold_in(session)

    def cancel_requested(self) -> bool:
        """Return whether a user cancelled the run, or raise LeaseLost."""
        with self._database.read() as session:
            run = session.get(Run, self.run_id)
            if run is None or run.attempt != self.attempt or run.status != "running":
                raise LeaseLost(self.run_id)
            return run.cancel_requested

    def record(
        self, rows: list[EpochRow], checkpoint: SavedCheckpoint | None = None
    ) -> None:
        """Add epochs to the history, and replace the checkpoint if one is given."""
        with self._database.write() as session:
            self.record_in(session, rows, checkpoint)

    def record_in(
        self,
        session: Session,
        rows: list[EpochRow],
        checkpoint: SavedCheckpoint | None = None,
    ) -> None:
        """Record epochs and a checkpoint within a transaction."""
        if rows:
            last = rows[-1]
            self._update(session, epoch=last.epoch, fit_seconds=last.seconds)
            # RETURNING makes it one statement. Several would go in a pipeline, in which
            # PostgreSQL's idle timeout cannot end the transaction of a frozen process
            session.execute(
                insert(Epoch).returning(Epoch.epoch),
                [{"run_id": self.run_id, **vars(row)} for row in rows],
            )
        if checkpoint is not None:
            self.hold_in(session)
            session.merge(Checkpoint(run_id=self.run_id, **vars(checkpoint)))

    def hold_in(self, session: Session) -> None:
        """Extend the lease within a transaction, or raise LeaseLost."""
        self._update(session, lease_until=time_after(self._seconds))

    def finish_in(self, session: Session, status: RunStatus, **values: Any) -> None:
        """End the run within a transaction; nothing can be written to it afterwards."""
        _forget(session, self.run_id)
        self._update(
            session,
            status=status,
            ended_at=utc_now(),
            lease_owner=None,
            lease_until=None,
            **values,
        )

    def fail(
        self,
        rows: list[EpochRow],
        checkpoint: SavedCheckpoint | None,
        *,
        stop_reason: StopReason,
        error: Problem,
    ) -> None:
        """Record the remaining epochs and end the run as failed."""
        with self._database.write() as session:
            self.record_in(session, rows, checkpoint)
            self.finish_in(
                session, RunStatus.FAILED, stop_reason=stop_reason, error=error
            )

    def cancel(self) -> None:
        """End the run as cancelled, without a result."""
        with self._database.write() as session:
            self.finish_in(session, RunStatus.CANCELLED, stop_reason=StopReason.CANCELLED)

    def give_back(self, rows: list[EpochRow], checkpoint: SavedCheckpoint | None) -> None:
        """Record the remaining epochs and release the run."""
        with self._database.write() as session:
            self.record_in(session, rows, checkpoint)
            self.release_in(session)

    def release(self) -> None:
        """Return the run to the queue; the attempt does not count."""
        with self._database.write() as session:
            self.release_in(session)

    def must_give_way(self, slot: Slot, times: RunTimes) -> bool:
        """Return whether the run must return to the queue, because a small one waits."""
        if self.is_small:
            return False
        with self._database.read() as session:
            return must_give_way(session, self.run_id, slot, times)

    def release_in(self, session: Session, *, gives_way: bool = False) -> None:
        """Return the run to the queue within a transaction.

        A run that gives way comes after small runs for some minutes.
        """
        self._update(
            session,
            status=RunStatus.QUEUED,
            handed_back=Run.handed_back + 1,
            lease_owner=None,
            sent_at=0,
            **({"gave_way_at": now_ms()} if gives_way else {}),
        )

    def _claim_in(self, session: Session, owner: str) -> bool:
        attempt = RUN_LEASES.claim(
            session,
            self.run_id,
            self._seconds,
            where=[Run.status == RunStatus.QUEUED],
            status=RunStatus.RUNNING,
            lease_owner=owner,
            started_at=utc_now(),
        )
        if attempt is None:
            return False
        self.attempt = attempt
        size = select(Run.is_small).where(Run.id == self.run_id)
        self.is_small = bool(session.scalar(size))
        self.checkpoint = _saved(session.get(Checkpoint, self.run_id))
        self._begin_in(session)
        return True

    def _begin_in(self, session: Session) -> None:
        epoch, seconds = 0, 0.0
        if self.checkpoint is not None:
            epoch, seconds = self.checkpoint.epoch, self.checkpoint.seconds
        self._update(session, epoch=epoch, fit_seconds=seconds)
        session.execute(
            delete(Epoch).where(Epoch.run_id == self.run_id, Epoch.epoch > epoch)
        )

    def _update(self, session: Session, **values: Any) -> None:
        if not RUN_LEASES.update(session, self.run_id, self.attempt, **values):
            raise LeaseLost(self.run_id)


def _saved(row: Checkpoint | None) -> SavedCheckpoint | None:
    if row is None:
        return None
    return SavedCheckpoint(row.epoch, row.seconds, row.key, row.sha256, row.num_bytes)


def _forget(session: Session, run_id: str) -> None:
    session.execute(delete(Checkpoint).where(Checkpoint.run_id == run_id))
