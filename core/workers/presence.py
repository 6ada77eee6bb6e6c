"""A worker process says that it is there, whether it has work or not."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from core.database.sessions import Database
from core.threads import let_end
from core.workers.repository import WorkerRepository

log = logging.getLogger(__name__)


class Presence(threading.Thread):
    """A daemon thread that beats until the process ends.

    Args:
        database: where it is told.
        worker_id: `host:pid`.
        kind: what the process takes.
        seconds: between two beats.

    """

    def __init__(
        self, database: Database, worker_id: str, kind: str, seconds: float
    ) -> None:
        super().__init__(name="presence", daemon=True)
        self._database = database
        self._worker_id = worker_id
        self._kind = kind
        self._seconds = seconds
        self._stopped = threading.Event()

    def run(self) -> None:
        self.beat()
        while not self._stopped.wait(self._seconds):
            self.beat()

    def stop(self) -> None:
        """Beat no more; a beat at work may end first."""
        self._stopped.set()
        let_end(self)

    def beat(self) -> None:
        """Say it once; a database that is away is told the next time."""
        try:
            with self._database.write() as session:
                WorkerRepository(session).beat(self._worker_id, self._kind)
        except SQLAlchemyError as error:
            log.warning("could not tell that this worker lives: %s", type(error).__name__)
