"""Remove the fence from a worker, as the negative control.

Writes check neither attempt nor status; every second claim takes any run, also from
another holder or after its end. The checker must find violations.
"""

import random
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.database.sessions import Database
from core.runs.leases import Lease
from core.runs.next_run import Slot, next_runs
from core.runs.tables import Checkpoint, Run
from core.settings import RunTimes
from fitserve.enums import RunStatus


def take_down() -> None:
    """Remove the fence in this process and in its future children."""
    Lease._update = _update
    Lease.cancel_requested = lambda _: False
    Lease.claim_next = _claim_next


def _update(self: Lease, session: Session, **values: Any) -> None:
    session.execute(update(Run).where(Run.id == self.run_id).values(**values))


def _claim_next(
    database: Database, slot: Slot, owner: str, times: RunTimes
) -> Lease | None:
    with database.read() as session:
        best = next_runs(session, slot, times)[:1]
        every = list(session.scalars(select(Run.id)))
    chosen = best if best and random.random() < 0.5 else every
    run_id = random.choice(chosen)
    return _claim(database, run_id, owner, times.lease_seconds)


def _claim(database: Database, run_id: str, owner: str, seconds: float) -> Lease:
    values = {
        "status": RunStatus.RUNNING,
        "attempt": Run.attempt + 1,
        "lease_owner": owner,
        "lease_until": now_ms() + int(seconds * 1000),
    }
    with database.write() as session:
        changed = update(Run).where(Run.id == run_id).values(**values)
        attempt = session.scalar(changed.returning(Run.attempt))
        assert attempt is not None
        row = session.get(Checkpoint, run_id)
        lease = Lease(database, run_id, attempt, seconds, _saved(row))
        lease._begin_in(session)
    return lease


def _saved(row: Checkpoint | None) -> Any:
    from core.runs import leases

    return leases._saved(row)
