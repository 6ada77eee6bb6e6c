"""One unit of work, one transaction, committed at its edge and nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from core.database.engine import WRITES, make_engine

AfterCommit = Callable[[], object]
_AFTER_COMMIT = "after_commit"


def after_commit(session: Session, action: AfterCommit) -> None:
    """Have `action` done once the session's transaction is durable, never before."""
    session.info.setdefault(_AFTER_COMMIT, []).append(action)


class Database:
    """The engine and the two kinds of unit of work."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = make_engine(url)
        self._writer = self.engine.execution_options(**{WRITES: True})

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session whose work is committed at the end, or not at all."""
        with Session(self._writer, expire_on_commit=False) as session:
            with session.begin():
                yield session
            for action in session.info.pop(_AFTER_COMMIT, []):
                action()

    def check(self) -> None:
        """Ask for nothing; OperationalError if the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection; one in use is closed when it comes back."""
        event.listen(self.engine.pool, "checkin", _close_late)
        self.engine.dispose()


def _close_late(_: object, record: ConnectionPoolEntry) -> None:
    record.invalidate()
