"""Run each unit of work in one transaction, which is committed only at its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from core.database.engine import WRITES, make_engine

AfterCommit = Callable[[], object]
_AFTER_COMMIT = "after_commit"


def after_commit(session: Session, action: AfterCommit) -> None:
    """Call `action` after the session's transaction has been committed."""
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
        """Open a session that is committed at the end, or rolled back after an error."""
        with Session(self._writer, expire_on_commit=False) as session:
            with session.begin():
                yield session
            for action in session.info.pop(_AFTER_COMMIT, []):
                action()

    def check(self) -> None:
        """Raise OperationalError if the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection; a connection in use is closed on its return."""
        event.listen(self.engine.pool, "checkin", _close_late)
        self.engine.dispose()


def _close_late(_: object, record: ConnectionPoolEntry) -> None:
    record.invalidate()
