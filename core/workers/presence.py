"""Record that a worker process is alive, whether it is busy or idle."""

from collections.abc import Collection

from core.database.sessions import Database
from core.threads import PeriodicThread
from core.workers.repository import WorkerRepository


class Presence(PeriodicThread):
    """A thread that records every few seconds that the worker process is alive.

    Args:
        database: the database that stores the record.
        worker_id: `host:pid`.
        kind: `runs`, `datasets` or `both`.
        seconds: the pause between two records.
        tags: the tags of the worker.

    """

    def __init__(
        self,
        database: Database,
        worker_id: str,
        kind: str,
        seconds: float,
        tags: Collection[str] = (),
    ) -> None:
        super().__init__("presence", seconds, self.beat, is_eager=True)
        self._database = database
        self._worker_id = worker_id
        self._kind = kind
        self._tags = tags

    def beat(self) -> None:
        """Record now that the process is alive."""
        with self._database.write() as session:
            WorkerRepository(session).beat(self._worker_id, self._kind, self._tags)
