"""Every query about worker processes."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.workers.tables import Worker

RUNS, DATASETS, BOTH = "runs", "datasets", "both"
_FORGOTTEN_SECONDS = 3600.0


class WorkerRepository:
    """Remembers when a worker process was there last."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def beat(self, worker_id: str, kind: str) -> None:
        """The process is there; who was not for an hour is forgotten."""
        changed = self._session.execute(
            update(Worker)
            .where(Worker.id == worker_id)
            .values(seen_at=now_ms(), kind=kind)
            .returning(Worker.id)
        ).all()
        if not changed:
            self._session.add(Worker(id=worker_id, kind=kind, seen_at=now_ms()))
        self._session.execute(delete(Worker).where(~_since(_FORGOTTEN_SECONDS)))

    def count_alive(self, seconds: float) -> dict[str, int]:
        """How many processes that take runs, and datasets, were there since then."""
        query = select(Worker.kind, func.count()).where(_since(seconds))
        rows = self._session.execute(query.group_by(Worker.kind)).all()
        found = {row[0]: row[1] for row in rows}
        both = found.get(BOTH, 0)
        return {kind: found.get(kind, 0) + both for kind in (RUNS, DATASETS)}

    def is_alive_on(self, host: str, kinds: Collection[str], seconds: float) -> bool:
        """Return whether a process of the host that takes one of `kinds` was there."""
        mine = Worker.id.startswith(f"{host}:", autoescape=True)
        query = select(Worker.id).where(mine, Worker.kind.in_(kinds), _since(seconds))
        return self._session.scalars(query.limit(1)).first() is not None


def _since(seconds: float) -> ColumnElement[bool]:
    return Worker.seen_at >= now_ms() - int(seconds * 1000)
