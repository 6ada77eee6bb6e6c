"""Choose the run that a free worker process trains next.

A message of the broker only wakes a worker. The worker then takes the best run that it
can train: the workspace with the fewest running runs comes first, and among equals the
one whose last run started longest ago. Within a workspace, runs start by priority, then
by age. After a long run has given way to a small one, it comes last for a while.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from core.database.base import utc_now
from core.database.clock import now_ms
from core.database.inserts import insert_into
from core.database.lease import time_after
from core.runs.tables import Run, WorkspaceTurn
from core.settings import RunTimes
from core.workers.tags import subsets
from fitserve.enums import RunStatus

_MOST_CANDIDATES = 8
"""Another worker may take a candidate first; so many workers can choose at once."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The runs that a worker process may train.

    Args:
        tags: the tags of its worker.
        small_runs_only: whether it must stay free for small runs.
        gives_way: whether its worker has no other process for runs, so that a long run
            gives way to small ones.

    """

    tags: Collection[str] = ()
    small_runs_only: bool = False
    gives_way: bool = True

    @cached_property
    def accepted_tags(self) -> list[str]:
        """Return the values of `Run.worker_tags` that the process can train."""
        return subsets(self.tags)

    def waiting(self) -> ColumnElement[bool]:
        """Return the condition of a queued run that the process may train."""
        fits = Run.worker_tags.in_(self.accepted_tags)
        size = [Run.is_small] if self.small_runs_only else []
        return and_(Run.status == RunStatus.QUEUED, fits, *size)


ANY_RUN = Slot()
"""A process without tags, alone in its worker."""


def next_runs(
    session: Session, slot: Slot, times: RunTimes, without: Collection[str] = ()
) -> list[str]:
    """Return the ids of the best runs for a process, the best first.

    `without` names runs that another process is claiming.
    """
    waiting, running = _waiting(slot, times, without), _running()
    query = (
        select(waiting.c.id)
        .outerjoin(running, running.c.workspace == waiting.c.workspace)
        .outerjoin(WorkspaceTurn, WorkspaceTurn.workspace == waiting.c.workspace)
        .where(waiting.c.place <= _MOST_CANDIDATES)
        .order_by(
            waiting.c.delay,
            func.coalesce(running.c.number, 0) + waiting.c.place,
            func.coalesce(WorkspaceTurn.started_at, 0),
            waiting.c.id,
        )
        .limit(_MOST_CANDIDATES)
    )
    return list(session.scalars(query))


def lock_waiting(session: Session, run_id: str) -> bool:
    """Lock a run. Return False if it is not queued, or another worker has locked it.

    So a worker that is frozen within its claim delays no other worker.
    """
    is_waiting = (Run.id == run_id) & (Run.status == RunStatus.QUEUED)
    query = select(Run.id).where(is_waiting).with_for_update(skip_locked=True, of=Run)
    return session.scalar(query) is not None


def record_turn(session: Session, run_id: str) -> None:
    """Record that a run of this workspace starts now.

    If another worker does the same at this moment, its time is enough.
    """
    workspace = session.scalar(select(Run.workspace).where(Run.id == run_id))
    mine = WorkspaceTurn.workspace == workspace
    found = select(WorkspaceTurn.workspace).where(mine)
    if session.scalar(found) is None:
        first = insert_into(session, WorkspaceTurn).values(
            workspace=workspace, started_at=now_ms()
        )
        session.execute(first.on_conflict_do_nothing())
    elif session.scalar(found.with_for_update(skip_locked=True)) is not None:
        session.execute(update(WorkspaceTurn).where(mine).values(started_at=now_ms()))


def must_give_way(session: Session, run_id: str, slot: Slot, times: RunTimes) -> bool:
    """Return whether a long run must return to the queue, because a small one waits.

    A run gives way at most once in `give_way_pause_seconds`, and no more runs give way
    than small ones wait.
    """
    lately = time_after(-times.give_way_pause_seconds)
    may = ~Run.is_small & (func.coalesce(Run.gave_way_at, 0) <= lately)
    if not session.scalar(select(may).where(Run.id == run_id)):
        return False
    long_since = utc_now() - timedelta(seconds=times.give_way_after_seconds)
    waits = slot.waiting() & Run.is_small & (Run.created_at < long_since)
    others = may & (Run.status == RunStatus.RUNNING) & (Run.id < run_id)
    number = select(func.count()).select_from(Run)
    return session.scalars(number.where(waits)).one() > (
        session.scalars(number.where(others)).one()
    )


def _waiting(slot: Slot, times: RunTimes, without: Collection[str]) -> Subquery:
    """Return the queued runs with their place in their workspace, from 1.

    After a long run has given way, it comes last for a while, and small runs come first.
    """
    other = aliased(Run)
    lately = time_after(-times.give_way_pause_seconds)
    has_given_way = exists().where(
        other.status == RunStatus.QUEUED, other.gave_way_at > lately
    )
    gave_way = (Run.gave_way_at > lately) & ~Run.cancel_requested
    delay: ColumnElement[Any] = case(
        (gave_way, 2), (Run.is_small & has_given_way, 0), else_=1
    )
    place = func.row_number().over(
        partition_by=Run.workspace, order_by=(delay, Run.priority.desc(), Run.id)
    )
    columns = Run.id, Run.workspace, delay.label("delay"), place.label("place")
    return select(*columns).where(slot.waiting(), Run.id.not_in(without)).subquery()


def _running() -> Subquery:
    """Return how many runs of each workspace are running."""
    number = func.count().label("number")
    query = select(Run.workspace, number).where(Run.status == RunStatus.RUNNING)
    return query.group_by(Run.workspace).subquery()
