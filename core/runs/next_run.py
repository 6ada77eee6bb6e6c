"""Choose the run that a free worker process trains next.

A message of the broker only wakes a worker. The worker then takes the best run that it
can train: the workspace with the fewest running runs comes first, and among equals the
one whose last run started longest ago. Within a workspace, runs start by priority, then
by age. A run that has given way to small ones comes after all others for a while.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.clock import now_ms
from core.database.inserts import insert_into
from core.runs.tables import Run, WorkspaceTurn
from core.settings import RunTimes
from core.workers.tags import subsets
from fitserve.enums import RunStatus

_MOST_CANDIDATES = 8
"""Another worker may take a candidate first; so many workers can choose at once."""


@dataclass(frozen=True)
class Slot:
    """What a worker process may train.

    Args:
        tags: the tags of its worker.
        only_small: whether it is kept free for small runs.
        is_only: whether its worker has no other process for runs, so that a long run
            gives way to small ones.

    """

    tags: Collection[str] = ()
    only_small: bool = False
    is_only: bool = field(default=True, kw_only=True)

    @cached_property
    def accepted_tags(self) -> list[str]:
        """Return the values of `Run.worker_tags` that the process can train."""
        return subsets(self.tags)

    def waiting(self) -> ColumnElement[bool]:
        """Return the condition of a queued run that the process may train."""
        fits = Run.worker_tags.in_(self.accepted_tags)
        size = [Run.is_small] if self.only_small else []
        return and_(Run.status == RunStatus.QUEUED, fits, *size)


ANY_RUN = Slot()
"""A process without tags, alone in its worker."""


def next_runs(session: Session, slot: Slot, times: RunTimes) -> list[str]:
    """Return the ids of the best runs for a process, the best first."""
    waiting, running = _waiting(slot, times), _running()
    turn = func.coalesce(WorkspaceTurn.started_at, 0)
    query = (
        select(waiting.c.id)
        .outerjoin(running, running.c.workspace == waiting.c.workspace)
        .outerjoin(WorkspaceTurn, WorkspaceTurn.workspace == waiting.c.workspace)
        .where(waiting.c.place <= _MOST_CANDIDATES)
        .order_by(
            waiting.c.gave_way,
            func.coalesce(running.c.number, 0) + waiting.c.place,
            turn,
            waiting.c.id,
        )
        .limit(_MOST_CANDIDATES)
    )
    return list(session.scalars(query))


def lock_waiting(session: Session, run_id: str) -> bool:
    """Lock a run. Return False if it is not queued, or another worker has locked it.

    A worker that is frozen within its claim then delays no other worker.
    """
    is_waiting = (Run.id == run_id) & (Run.status == RunStatus.QUEUED)
    query = select(Run.id).where(is_waiting).with_for_update(skip_locked=True)
    return session.scalar(query) is not None


def record_turn(session: Session, run_id: str) -> None:
    """Record that a run of this workspace starts now."""
    workspace = select(Run.workspace).where(Run.id == run_id).scalar_subquery()
    started = insert_into(session, WorkspaceTurn).values(
        workspace=workspace, started_at=now_ms()
    )
    session.execute(
        started.on_conflict_do_update(
            index_elements=["workspace"], set_={"started_at": now_ms()}
        )
    )


def must_give_way(session: Session, run_id: str, slot: Slot, times: RunTimes) -> bool:
    """Return whether a long run must return to the queue, because a small one waits.

    A run gives way at most once in `give_way_pause_seconds`.
    """
    now = utc_now()
    lately = now - timedelta(seconds=times.give_way_pause_seconds)
    long_since = now - timedelta(seconds=times.give_way_after_seconds)
    run = select(Run.is_small, Run.gave_way_at).where(Run.id == run_id)
    found = session.execute(run).one_or_none()
    if found is None or found.is_small:
        return False
    if found.gave_way_at is not None and found.gave_way_at > lately:
        return False
    waits = slot.waiting() & Run.is_small & (Run.created_at < long_since)
    return session.scalar(select(Run.id).where(waits).limit(1)) is not None


def _waiting(slot: Slot, times: RunTimes) -> Subquery:
    """Return the queued runs with their place in their workspace, from 1."""
    lately = utc_now() - timedelta(seconds=times.give_way_pause_seconds)
    waits = (Run.gave_way_at > lately) & ~Run.cancel_requested
    gave_way: ColumnElement[Any] = case((waits, 1), else_=0)
    place = func.row_number().over(
        partition_by=Run.workspace,
        order_by=(gave_way, Run.priority.desc(), Run.id),
    )
    columns = (
        Run.id,
        Run.workspace,
        gave_way.label("gave_way"),
        place.label("place"),
    )
    return select(*columns).where(slot.waiting()).subquery()


def _running() -> Subquery:
    """Return how many runs of each workspace are running."""
    number = func.count().label("number")
    query = select(Run.workspace, number).where(Run.status == RunStatus.RUNNING)
    return query.group_by(Run.workspace).subquery()
