"""Query the runs of all workspaces, for workers and the janitor."""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from core.database.dialects import is_one_of
from core.datasets.tables import Dataset, with_blocks
from core.errors import RunNotFound
from core.runs.leases import RUN_LEASES
from core.runs.next_run import Slot
from core.runs.tables import Checkpoint, Run
from fitserve.enums import TERMINAL, RunStatus


class RunMaintenance:
    """The runs of all workspaces, for workers and the janitor; not for routes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, run_id: str) -> Run:
        """Return the run with that id, or raise RunNotFound."""
        run = self._session.get(Run, run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    def validation(self, run: Run) -> Dataset | None:
        """Return the run's validation dataset; load what reading both needs."""
        found = None
        if run.validation_dataset_id is not None:
            found = self._session.get_one(Dataset, run.validation_dataset_id)
        for dataset in filter(None, (run.dataset, found)):
            # runs load without them
            self._session.refresh(dataset, ["columns", "lineage"])
            with_blocks(dataset)
        return found

    def traceparent(self, run_id: str) -> str | None:
        """Return the span that the run belongs to, if it was traced."""
        return self._session.scalar(select(Run.traceparent).where(Run.id == run_id))

    def count_queued(self) -> int:
        """Return how many runs wait for a worker."""
        query = select(func.count()).where(Run.status == RunStatus.QUEUED)
        return self._session.scalar(query) or 0

    def waiting_ids(self, slot: Slot, limit: int = 100) -> list[str]:
        """Return ids of queued runs that a process may train, the oldest first."""
        query = select(Run.id).where(slot.waiting())
        return list(self._session.scalars(query.order_by(Run.id).limit(limit)))

    def requeue_lost(self, max_attempts: int) -> None:
        """Mark lost runs as queued and unsent; skip locked rows."""
        lost = select(Run.id).where(*RUN_LEASES.unheld(), _tried() < max_attempts)
        self._session.execute(
            update(Run)
            .where(Run.id.in_(lost.with_for_update(skip_locked=True)))
            .values(status=RunStatus.QUEUED, lease_owner=None, sent_at=0)
        )

    def lost_for_good(self, max_attempts: int) -> list[Run]:
        """Return lost runs that have no attempt left."""
        query = select(Run).where(*RUN_LEASES.unheld(), _tried() >= max_attempts)
        query = query.with_for_update(skip_locked=True, of=Run)
        return list(self._session.scalars(query))

    def unended(self, run_ids: Iterable[str]) -> set[str]:
        """Return the ids of the runs that are queued or running."""
        query = select(Run.id).where(Run.id.in_(run_ids), Run.status.not_in(TERMINAL))
        return set(self._session.scalars(query))

    def forget_checkpoints(self) -> None:
        """Delete the checkpoints of ended runs; some end without their worker."""
        ended = exists().where(Run.id == Checkpoint.run_id, Run.status.in_(TERMINAL))
        self._session.execute(delete(Checkpoint).where(ended))

    def take_unsent(self, older_than_seconds: float) -> list[str]:
        """Mark queued, unclaimed runs as sent. Return their ids."""
        is_queued = Run.status == RunStatus.QUEUED
        return RUN_LEASES.take_unsent(self._session, older_than_seconds, [is_queued])

    def worker_tags(self, run_ids: Collection[str]) -> dict[str, str]:
        """Return the tags of the workers that the runs need, by run id."""
        given = is_one_of(self._session, Run.id, run_ids)
        query = select(Run.id, Run.worker_tags).where(given, Run.worker_tags != "")
        return {row.id: row.worker_tags for row in self._session.execute(query)}

    def mark_unsent(self, run_ids: Collection[str]) -> None:
        """Let the next `take_unsent` return runs whose messages could not be sent."""
        RUN_LEASES.mark_unsent(self._session, run_ids)


def _tried() -> ColumnElement[int]:
    return Run.attempt - Run.handed_back
