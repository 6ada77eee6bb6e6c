"""Every query that workers and sweepers make about runs, whosesoever they are."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.datasets.tables import Dataset
from core.errors import RunNotFound
from core.runs.tables import Checkpoint, Run
from fitserve.enums import TERMINAL, RunStatus


class RunMaintenance:
    """Moves runs that nobody holds; no request is answered from here."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, run_id: str) -> Run:
        """The run with that id; RunNotFound if there is none."""
        run = self._session.get(Run, run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    def validation(self, run: Run) -> Dataset | None:
        """Return the run's validation dataset, and load the columns of both datasets."""
        found = None
        if run.validation_dataset_id is not None:
            found = self._session.get_one(Dataset, run.validation_dataset_id)
        for dataset in filter(None, (run.dataset, found)):
            self._session.refresh(dataset, ["columns"])  # not loaded with a run
        return found

    def traceparent(self, run_id: str) -> str | None:
        """The span that the run belongs to, if it was traced."""
        return self._session.scalar(select(Run.traceparent).where(Run.id == run_id))

    def count_queued(self) -> int:
        """How many runs wait for a worker."""
        query = select(func.count()).where(Run.status == RunStatus.QUEUED)
        return self._session.scalar(query) or 0

    def queued_ids(self, limit: int = 100) -> list[str]:
        """Ids of runs that wait, the oldest first."""
        query = select(Run.id).where(Run.status == RunStatus.QUEUED)
        return list(self._session.scalars(query.order_by(Run.id).limit(limit)))

    def requeue_lost(self, max_attempts: int) -> None:
        """Put runs whose worker is gone back into the queue, for now unsent."""
        tried = Run.attempt - Run.handed_back
        self._session.execute(
            update(Run)
            .where(Run.id.in_(_unlocked(*_lost(), tried < max_attempts)))
            .values(status=RunStatus.QUEUED, lease_owner=None, sent_at=0)
        )

    def lost_for_good(self, max_attempts: int) -> list[Run]:
        """Runs whose worker is gone for the last allowed time."""
        tried = Run.attempt - Run.handed_back
        query = select(Run).where(*_lost(), tried >= max_attempts)
        query = query.with_for_update(skip_locked=True, of=Run)
        return list(self._session.scalars(query))

    def unended(self, run_ids: Iterable[str]) -> set[str]:
        """Those of the runs that are queued or running."""
        query = select(Run.id).where(Run.id.in_(run_ids), Run.status.not_in(TERMINAL))
        return set(self._session.scalars(query))

    def ended(self, run_ids: Iterable[str]) -> set[str]:
        """Those of the runs that have ended."""
        query = select(Run.id).where(Run.id.in_(run_ids), Run.status.in_(TERMINAL))
        return set(self._session.scalars(query))

    def forget_checkpoints(self) -> None:
        """Runs that ended without their worker leave theirs behind."""
        ended = exists().where(Run.id == Checkpoint.run_id, Run.status.in_(TERMINAL))
        self._session.execute(delete(Checkpoint).where(ended))

    def take_unsent(self, older_than_seconds: float) -> list[str]:
        """Ids of queued runs that nobody came for, marked as sent now."""
        due = now_ms() - int(older_than_seconds * 1000)
        return list(
            self._session.scalars(
                update(Run)
                .where(
                    Run.id.in_(
                        _unlocked(
                            Run.status == RunStatus.QUEUED,
                            or_(Run.sent_at.is_(None), Run.sent_at < due),
                        )
                    )
                )
                .values(sent_at=now_ms())
                .returning(Run.id)
            )
        )


def _unlocked(*conditions: ColumnElement[bool]) -> Select[str]:
    """Ids of runs that nobody writes to: a worker that froze stops no sweep."""
    return select(Run.id).where(*conditions).with_for_update(skip_locked=True)


def _lost() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (Run.status == RunStatus.RUNNING, Run.lease_until < now_ms())
