"""Query runs for requests; maintenance.py and leases.py have the queries of workers."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.clock import now_ms
from core.errors import InvalidSpec, RunNotFound, raise_any
from core.runs.histories import epochs_of
from core.runs.search import ALL_RUNS, RunFilter
from core.runs.summaries import SUMMARY, summary_of
from core.runs.tables import Epoch, History, Run
from fitserve.enums import RunStatus, StopReason
from fitserve.problems import FieldError, pointer
from fitserve.schemas.runs import RunSummary
from fitserve.specs.run import MOST_TAGS
from fitserve.specs.run_update import RunUpdate

Paged = TypeVar("Paged", bound=Select[*tuple[Any, ...]])


class RunRepository:
    """The runs of one workspace."""

    def __init__(self, session: Session, workspace: str) -> None:
        self._session = session
        self._workspace = workspace

    def get(self, run_id: str) -> Run:
        """Return the run with that id. Raise RunNotFound if no run has it."""
        run = self._session.get(Run, run_id)
        if run is None or run.workspace != self._workspace:
            raise RunNotFound(run_id)
        return run

    def add(self, run: Run) -> None:
        """Store a new run, marked as sent now."""
        run.workspace = self._workspace
        self._session.add(run)
        self._session.flush()
        self._session.execute(
            update(Run).where(Run.id == run.id).values(sent_at=now_ms())
        )

    def page(
        self, after: str | None, limit: int, chosen: RunFilter = ALL_RUNS
    ) -> list[Run]:
        """Return runs, newest first, that come after the id `after`."""
        return list(self._session.scalars(self._paged(select(Run), after, limit, chosen)))

    def summaries(
        self, after: str | None, limit: int, chosen: RunFilter = ALL_RUNS
    ) -> list[RunSummary]:
        """Return the same runs as `page`, but read only what a list shows."""
        found = self._session.execute(self._paged(SUMMARY, after, limit, chosen))
        return [summary_of(row) for row in found]

    def _paged(
        self, query: Paged, after: str | None, limit: int, chosen: RunFilter
    ) -> Paged:
        query = query.where(Run.workspace == self._workspace)
        if after is not None:
            query = query.where(Run.id < after)
        query = query.where(*chosen.conditions(self._session, self._workspace))
        return query.order_by(Run.id.desc()).limit(limit)

    def update(self, run_id: str, change: RunUpdate) -> Run:
        """Change the tags and the notes of a run.

        Raise RunNotFound, and InvalidSpec if the run would have too many tags.
        """
        run = self.get(run_id)
        self._session.refresh(run, ["tags"], with_for_update={"of": Run})
        if "notes" in change.model_fields_set:
            run.notes = change.notes or None
        tags = {**run.tags, **change.tags}
        run.tags = {name: value for name, value in tags.items() if value is not None}
        _refuse_many_tags(len(run.tags))
        return run

    def count_queued(self) -> int:
        """Return how many runs of the workspace are queued."""
        query = select(func.count()).where(
            Run.status == RunStatus.QUEUED, Run.workspace == self._workspace
        )
        return self._session.scalar(query) or 0

    def epochs(self, run_id: str, after: int = 0) -> Sequence[Epoch]:
        """Return the epochs of a run after the given one, in order."""
        found = self._session.scalars(
            select(Epoch)
            .where(self._is_of(run_id), Epoch.epoch > after)
            .order_by(Epoch.epoch)
        ).all()
        return found or [e for e in self._compacted(run_id) if e.epoch > after]

    def epochs_below(self, run_id: str, below: int, limit: int) -> Sequence[Epoch]:
        """Return the epochs of a run before the given one, the latest first."""
        found = self._session.scalars(
            select(Epoch)
            .where(self._is_of(run_id), Epoch.epoch < below)
            .order_by(Epoch.epoch.desc())
            .limit(limit)
        ).all()
        compacted = self._compacted(run_id) if not found else []
        return found or [e for e in compacted[::-1] if e.epoch < below][:limit]

    def _compacted(self, run_id: str) -> list[Epoch]:
        """Return the epochs of a compacted history; none if there is no such history."""
        mine = exists().where(*self._is(run_id))
        query = select(History).where(History.run_id == run_id, mine)
        history = self._session.scalar(query)
        return epochs_of(history) if history is not None else []

    def request_cancel(self, run_id: str) -> None:
        """End the run if it is queued; ask its worker to stop if it is running."""
        self._session.execute(
            update(Run)
            .where(*self._is(run_id), Run.status == RunStatus.QUEUED)
            .values(
                status=RunStatus.CANCELLED,
                stop_reason=StopReason.CANCELLED,
                ended_at=utc_now(),
            )
        )
        self._session.execute(
            update(Run)
            .where(*self._is(run_id), Run.status == RunStatus.RUNNING)
            .values(cancel_requested=True)
        )

    def _is(self, run_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return Run.id == run_id, Run.workspace == self._workspace

    def _is_of(self, run_id: str) -> ColumnElement[bool]:
        """Return the condition that an epoch is of that run, in this workspace."""
        return (Epoch.run_id == run_id) & exists().where(*self._is(run_id))


def _refuse_many_tags(number: int) -> None:
    if number <= MOST_TAGS:
        return
    error = FieldError(
        pointer=pointer("tags"),
        detail=f"the run would have {number} tags, expected at most {MOST_TAGS}",
        hint="remove a tag by giving it the value null",
    )
    raise_any(InvalidSpec, [error])
