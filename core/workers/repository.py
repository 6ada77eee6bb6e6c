"""Store and query when worker processes were last seen."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.workers.tables import Worker
from core.workers.tags import joined, split

RUNS, DATASETS, BOTH = "runs", "datasets", "both"
_FORGOTTEN_SECONDS = 3600.0


class WorkerRepository:
    """The worker processes and the times at which they were last seen."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def beat(self, worker_id: str, kind: str, tags: Collection[str] = ()) -> None:
        """Record that the process is alive; delete processes not seen for an hour."""
        facts = {"kind": kind, "tags": joined(tags), "seen_at": now_ms()}
        changed = self._session.execute(
            update(Worker)
            .where(Worker.id == worker_id)
            .values(**facts)
            .returning(Worker.id)
        ).all()
        if not changed:
            self._session.add(Worker(id=worker_id, **facts))
        self._session.execute(delete(Worker).where(~_since(_FORGOTTEN_SECONDS)))

    def count_alive(self, seconds: float) -> dict[str, int]:
        """Return by kind how many processes were seen within `seconds`."""
        query = select(Worker.kind, func.count()).where(_since(seconds))
        rows = self._session.execute(query.group_by(Worker.kind)).all()
        found = {row[0]: row[1] for row in rows}
        both = found.get(BOTH, 0)
        return {kind: found.get(kind, 0) + both for kind in (RUNS, DATASETS)}

    def known_tags(self) -> list[frozenset[str]]:
        """Return the tags of each worker that was seen within an hour, each set once."""
        seen = select(Worker.tags).where(_since(_FORGOTTEN_SECONDS)).distinct()
        return [frozenset(split(text)) for text in self._session.scalars(seen)]

    def is_alive_on(self, host: str, kinds: Collection[str], seconds: float) -> bool:
        """Return whether a process of one of the `kinds` was seen on the host."""
        mine = Worker.id.startswith(f"{host}:", autoescape=True)
        query = select(Worker.id).where(mine, Worker.kind.in_(kinds), _since(seconds))
        return self._session.scalars(query.limit(1)).first() is not None


def _since(seconds: float) -> ColumnElement[bool]:
    return Worker.seen_at >= now_ms() - int(seconds * 1000)
