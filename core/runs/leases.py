"""A worker's hold on a run: claimed by one conditional UPDATE, fenced ever after.

Every write names the attempt that the claim was given. Once another worker holds the
run, nothing that the first one writes changes a row, and LeaseLost tells it to stop.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.clock import now_ms
from core.database.sessions import Database
from core.runs.tables import Epoch, Run
from fitserve.statuses import RunStatus


class LeaseLost(Exception):
    """Another worker holds the run now; this one must leave it alone."""


@dataclass(frozen=True)
class EpochRow:
    """One epoch's logs (not-finite numbers as None) and seconds since the fit began."""

    epoch: int
    metrics: dict[str, float | None]
    seconds: float


class Lease:
    """The right to write to a run, as long as it is renewed."""

    def __init__(
        self, database: Database, run_id: str, attempt: int, seconds: float
    ) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self._database = database
        self._seconds = seconds

    @classmethod
    def claim(
        cls, database: Database, run_id: str, owner: str, seconds: float
    ) -> "Lease | None":
        """Take a queued run; None if it is not to be had."""
        with database.write() as session:
            attempt = session.scalar(
                update(Run)
                .where(Run.id == run_id, Run.status == RunStatus.QUEUED)
                .values(
                    status=RunStatus.RUNNING,
                    attempt=Run.attempt + 1,
                    lease_owner=owner,
                    lease_until=_until(seconds),
                    started_at=utc_now(),
                    epoch=0,
                    fit_seconds=0.0,
                )
                .returning(Run.attempt)
            )
            if attempt is None:
                return None
            session.execute(delete(Epoch).where(Epoch.run_id == run_id))
        return cls(database, run_id, attempt, seconds)

    def renew(self) -> None:
        """Hold on for another term; LeaseLost if it is too late."""
        with self._database.write() as session:
            self._update(session, lease_until=_until(self._seconds))

    def cancel_requested(self) -> bool:
        """Whether a user asked for an end; LeaseLost if the run is another's."""
        with self._database.read() as session:
            run = session.get(Run, self.run_id)
            if run is None or run.attempt != self.attempt or run.status != "running":
                raise LeaseLost(self.run_id)
            return run.cancel_requested

    def record(self, rows: list[EpochRow]) -> None:
        """Add epochs to the history."""
        with self._database.write() as session:
            self.record_in(session, rows)

    def record_in(self, session: Session, rows: list[EpochRow]) -> None:
        """The same within a unit of work."""
        if not rows:
            return
        last = rows[-1]
        self._update(session, epoch=last.epoch, fit_seconds=last.seconds)
        session.execute(
            insert(Epoch), [{"run_id": self.run_id, **vars(row)} for row in rows]
        )

    def update_in(self, session: Session, **values: Any) -> None:
        """Change columns of the run within a unit of work."""
        self._update(session, **values)

    def finish_in(self, session: Session, status: RunStatus, **values: Any) -> None:
        """End the run within a unit of work; nothing can be written to it after."""
        self._update(
            session,
            status=status,
            ended_at=utc_now(),
            lease_owner=None,
            lease_until=None,
            **values,
        )

    def release(self) -> None:
        """Give the run back unharmed; the attempt does not count."""
        with self._database.write() as session:
            self._update(
                session,
                status=RunStatus.QUEUED,
                handed_back=Run.handed_back + 1,
                lease_owner=None,
                sent_at=0,
            )

    def _update(self, session: Session, **values: Any) -> None:
        changed = session.execute(
            update(Run)
            .where(
                Run.id == self.run_id,
                Run.attempt == self.attempt,
                Run.status == RunStatus.RUNNING,
            )
            .values(**values)
            .returning(Run.id)
        ).all()
        if not changed:
            raise LeaseLost(self.run_id)


def _until(seconds: float) -> Any:
    return now_ms() + int(seconds * 1000)
