"""Store the history of an ended run as one row, in place of a row for each epoch.

Epoch rows are for a run that is training: each is written when its epoch ends. A year
of runs would be tens of millions of them, which nobody reads one by one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.migration_times import was_migrated_after
from core.runs.tables import Epoch, History, Run
from fitserve.enums import TERMINAL

REVISION = "0022"
"""The migration that added the table of compacted histories."""
_MOST_LOOKED_AT = 2_000
"""Runs with epoch rows that one search looks at, the oldest first."""


def uncompacted(session: Session, older_than_days: float, limit: int) -> list[str]:
    """Return ids of runs that ended some time ago and still have epoch rows.

    Return none until the table of histories has that age, too: until then, API processes
    of the release before may still run, which read epoch rows only.
    The search steps from run to run over the primary key of the epochs, so that its time
    does not depend on the number of runs whose histories are compacted.
    """
    before = utc_now() - timedelta(days=older_than_days)
    first = select(func.min(Epoch.run_id).label("id")).cte("with_epochs", recursive=True)
    later = select(func.min(Epoch.run_id)).where(Epoch.run_id > first.c.id)
    ids = first.union_all(select(later.scalar_subquery()).where(first.c.id.is_not(None)))
    oldest = select(ids.c.id).limit(_MOST_LOOKED_AT)
    query = select(Run.id).where(
        Run.id.in_(oldest),
        Run.status.in_(TERMINAL),
        Run.ended_at < before,
        ~was_migrated_after(REVISION, before),
    )
    return list(session.scalars(query.order_by(Run.id).limit(limit)))


def compact(session: Session, run_id: str) -> None:
    """Replace the epoch rows of an ended run by one row.

    Nothing happens while another process compacts the same run.
    """
    ended = (Run.id == run_id) & Run.status.in_(TERMINAL)
    locked = select(Run.id).where(ended).with_for_update(skip_locked=True, of=Run)
    if session.scalar(locked) is None:
        return
    query = select(Epoch).where(Epoch.run_id == run_id).order_by(Epoch.epoch)
    epochs = session.scalars(query).all()
    if not epochs:
        return
    session.execute(delete(Epoch).where(Epoch.run_id == run_id))
    session.merge(History(run_id=run_id, content=_compacted(epochs)))


def epochs_of(history: History) -> list[Epoch]:
    """Return the epochs of a compacted history, in order; they belong to no session."""
    content = history.content
    names = content["metrics"]
    columns = zip(content["epoch"], content["fit"], content["seconds"], strict=True)
    return [
        Epoch(
            run_id=history.run_id,
            epoch=epoch,
            fit=fit,
            seconds=seconds,
            metrics={name: names[name][i] for name in names},
        )
        for i, (epoch, fit, seconds) in enumerate(columns)
    ]


def _compacted(epochs: Sequence[Epoch]) -> dict[str, Any]:
    """Return a list for each column and for each metric."""
    names = dict.fromkeys(name for epoch in epochs for name in epoch.metrics)
    return {
        "epoch": [epoch.epoch for epoch in epochs],
        "fit": [epoch.fit for epoch in epochs],
        "seconds": [epoch.seconds for epoch in epochs],
        "metrics": {name: [e.metrics.get(name) for e in epochs] for name in names},
    }
