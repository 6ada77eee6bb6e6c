"""Query the figures of the metrics that are equal in every process.

Counters are sums over runs that have ended, because their rows no longer change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select
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
class Totals:
    """Figures whose queries read whole tables."""

    ended: dict[str, int]
    durations: dict[str, Durations]
    epochs: int
    fit_seconds: float
    lease_expiries: int
    handed_back: int
    datasets: dict[str, int]
    stored_bytes: dict[str, int]
    models: int
    versions: int


@dataclass(frozen=True)
class Figures:
    """The figures of the database: those of now, and totals that may be older."""

    runs: dict[str, int]
    waiting_datasets: int
    oldest_queued_seconds: float
    workers: dict[str, int]
    totals: Totals


class FiguresRepository:
    """The counts and sums for the metrics."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def figures(self, alive_seconds: float, totals: Totals) -> Figures:
        """Return all figures; `workers` are those seen within `alive_seconds`.

        These queries read only rows that wait or are in work, by an index.
        """
        return Figures(
            runs=self._unended_runs() | totals.ended,
            waiting_datasets=self._waiting_datasets(),
            oldest_queued_seconds=self._oldest_queued_seconds(),
            workers=WorkerRepository(self._session).count_alive(alive_seconds),
            totals=totals,
        )

    def totals(self) -> Totals:
        """Return the figures of whole tables, which takes time in a large database."""
        rows = self._runs_by_status()
        ended = {row.status: row for row in rows if row.status in TERMINAL}
        return Totals(
            ended={s: ended[s].runs if s in ended else 0 for s in sorted(TERMINAL)},
            durations={s: _durations(row) for s, row in ended.items() if row.timed},
            epochs=sum(int(row.epochs) for row in ended.values()),
            fit_seconds=sum(float(row.fit_seconds) for row in ended.values()),
            lease_expiries=sum(int(row.lease_expiries) for row in rows),
            handed_back=sum(int(row.handed_back) for row in rows),
            datasets=self._datasets_by_status(),
            stored_bytes=self._stored_bytes(),
            models=self._count(Model.name),
            versions=self._count(Version.id),
        )

    def _count(self, column: object) -> int:
        return self._session.scalar(select(func.count(column))) or 0  # type: ignore[arg-type]

    def _unended_runs(self) -> dict[str, int]:
        waiting = (RunStatus.QUEUED, RunStatus.RUNNING)
        query = select(Run.status, func.count()).where(Run.status.in_(waiting))
        found = {
            row[0]: row[1] for row in self._session.execute(query.group_by(Run.status))
        }
        return {status: found.get(status, 0) for status in waiting}

    def _runs_by_status(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return the sums of each status, in one scan of the runs."""
        seconds = seconds_between(Run.started_at, Run.ended_at)
        lost = Run.attempt - Run.handed_back - case((_held(), 1), else_=0)
        buckets = (
            func.sum(case((seconds <= bound, 1), else_=0)).label(f"under_{bound}")
            for bound in DURATION_BOUNDS
        )
        query = select(
            Run.status,
            func.count().label("runs"),
            func.sum(Run.epoch).label("epochs"),
            func.sum(Run.fit_seconds).label("fit_seconds"),
            func.sum(lost).label("lease_expiries"),
            func.sum(Run.handed_back).label("handed_back"),
            func.count(seconds).label("timed"),
            func.sum(seconds).label("seconds"),
            *buckets,
        )
        return self._session.execute(query.group_by(Run.status)).all()

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

    def _stored_bytes(self) -> dict[str, int]:
        uploads = select(func.sum(Dataset.num_bytes)).where(has_files())
        artifacts = select(func.sum(Artifact.num_bytes))
        return {
            "uploads": int(self._session.scalar(uploads) or 0),
            "artifacts": int(self._session.scalar(artifacts) or 0),
        }


def _durations(row: Row[*tuple[Any, ...]]) -> Durations:
    counts = [int(getattr(row, f"under_{bound}")) for bound in DURATION_BOUNDS]
    return Durations(counts, row.timed, float(row.seconds))


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
