"""Query the figures of the metrics that are equal in every process.

Counters are sums over runs that have ended, because their rows no longer change.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.clock import now_ms, seconds_between
from core.datasets.tables import Dataset, has_files
from core.models.tables import Artifact, Model, Version
from core.runs.tables import Run
from core.workers.repository import WorkerRepository
from fitserve.enums import TERMINAL, DatasetStatus, RunStatus
from fitserve.problem_types import ProblemType

DURATION_BOUNDS = (1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)
"""Upper bounds of the buckets of run durations, in seconds."""


@dataclass(frozen=True)
class Durations:
    """A histogram of ended runs; `counts` are cumulative, by DURATION_BOUNDS."""

    counts: list[int]
    total: int
    seconds: float


@dataclass(frozen=True)
class Figures:
    """The figures of the database at one time."""

    runs: dict[str, int]
    datasets: dict[str, int]
    waiting_datasets: int
    oldest_queued_seconds: float
    durations: dict[str, Durations]
    epochs: int
    fit_seconds: float
    lease_expiries: int
    handed_back: int
    stored_bytes: dict[str, int]
    models: int
    versions: int
    workers: dict[str, int]


class FiguresRepository:
    """The counts and sums over whole tables."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def figures(self, alive_seconds: float) -> Figures:
        """Return all figures; `workers` are those seen within `alive_seconds`."""
        epochs, fit_seconds, expiries, handed_back = self._sums()
        return Figures(
            runs=self._runs_by_status(),
            datasets=self._datasets_by_status(),
            waiting_datasets=self._waiting_datasets(),
            oldest_queued_seconds=self._oldest_queued_seconds(),
            durations=self._durations(),
            epochs=epochs,
            fit_seconds=fit_seconds,
            lease_expiries=expiries,
            handed_back=handed_back,
            stored_bytes=self._stored_bytes(),
            models=self._count(Model.name),
            versions=self._count(Version.id),
            workers=WorkerRepository(self._session).count_alive(alive_seconds),
        )

    def _count(self, column: object) -> int:
        return self._session.scalar(select(func.count(column))) or 0  # type: ignore[arg-type]

    def _runs_by_status(self) -> dict[str, int]:
        query = select(Run.status, func.count()).group_by(Run.status)
        found = {row[0]: row[1] for row in self._session.execute(query)}
        return {status: found.get(status, 0) for status in RunStatus}

    def _datasets_by_status(self) -> dict[str, int]:
        query = select(Dataset.status, func.count()).where(Dataset.deleted_at.is_(None))
        rows = self._session.execute(query.group_by(Dataset.status))
        found = {row[0]: row[1] for row in rows}
        return {status: found.get(status, 0) for status in DatasetStatus}

    def _waiting_datasets(self) -> int:
        query = select(func.count()).where(
            Dataset.status == DatasetStatus.PROCESSING,
            Dataset.deleted_at.is_(None),
            or_(Dataset.lease_until.is_(None), Dataset.lease_until < now_ms()),
        )
        return self._session.scalar(query) or 0

    def _oldest_queued_seconds(self) -> float:
        query = select(func.min(Run.created_at)).where(Run.status == RunStatus.QUEUED)
        oldest = self._session.scalar(query)
        return max(0.0, (utc_now() - oldest).total_seconds()) if oldest else 0.0

    def _durations(self) -> dict[str, Durations]:
        seconds = seconds_between(Run.started_at, Run.ended_at)
        buckets = [func.sum(case((seconds <= b, 1), else_=0)) for b in DURATION_BOUNDS]
        rows = self._session.execute(
            select(Run.status, func.count(), func.sum(seconds), *buckets)
            .where(Run.status.in_(TERMINAL), seconds.is_not(None))
            .group_by(Run.status)
        ).all()
        return {
            status: Durations([int(c) for c in counts], total, float(seconds))
            for status, total, seconds, *counts in rows
        }

    def _sums(self) -> tuple[int, float, int, int]:
        ended = Run.status.in_(TERMINAL)
        row = self._session.execute(
            select(
                func.sum(case((ended, Run.epoch), else_=0)),
                func.sum(case((ended, Run.fit_seconds), else_=0.0)),
                func.sum(Run.attempt - Run.handed_back - case((_held(), 1), else_=0)),
                func.sum(Run.handed_back),
            )
        ).one()
        return int(row[0] or 0), float(row[1] or 0), int(row[2] or 0), int(row[3] or 0)

    def _stored_bytes(self) -> dict[str, int]:
        uploads = select(func.sum(Dataset.num_bytes)).where(has_files())
        artifacts = select(func.sum(Artifact.num_bytes))
        return {
            "uploads": int(self._session.scalar(uploads) or 0),
            "artifacts": int(self._session.scalar(artifacts) or 0),
        }


def _held() -> ColumnElement[bool]:
    """Return the condition that a worker holds, or has ended, a run's last attempt."""
    lost = and_(
        Run.error.is_not(None),
        Run.error["type"].as_string() == ProblemType.WORKER_LOST.uri,
    )
    return or_(
        Run.status.in_([RunStatus.RUNNING, RunStatus.SUCCEEDED]),
        and_(Run.status == RunStatus.FAILED, ~lost),
        # a run that is cancelled in the queue has no `cancel_requested`
        and_(Run.status == RunStatus.CANCELLED, Run.cancel_requested),
    )
