"""Let one request at a time use an idempotency key, and store its answer.

Each transaction of a request also checks the request's token. After another request has
taken over the key, the check fails, so the first request can commit nothing.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.database.sessions import Database
from core.errors import KeyReused, RequestInFlight
from core.idempotency.repository import Asked, KeyRepository
from core.idempotency.tables import IdempotencyKey


@dataclass(frozen=True)
class Answer:
    """The stored answer to every request with the key."""

    status: int
    body: str
    location: str | None = None


class Claim:
    """A request's claim on a key, or the stored answer.

    Without a key, a claim stores nothing, so routes need not check for a key.
    """

    def __init__(
        self, database: Database, asked: Asked | None, lease_seconds: float
    ) -> None:
        self.answer: Answer | None = None
        self.is_replay = False
        """Whether an earlier request stored the answer."""
        self.step: str | None = None
        """The id of the object created so far, by this request or an interrupted one."""
        self._database = database
        self._asked = asked
        self._seconds = lease_seconds
        self._token = secrets.token_hex(16)

    def begin(self) -> None:
        """Claim the key, or load its answer; raise RequestInFlight or KeyReused."""
        if self._asked is None:
            return
        with self._database.read() as session:  # a repeated request takes no write lock
            keys = KeyRepository(session, self._asked)
            record = keys.get()
            is_twin = record is not None and not keys.is_abandoned()
        if is_twin or not self._take(self._asked):
            self._replay(self._asked, record)

    def _take(self, asked: Asked) -> bool:
        with self._database.write() as session:
            keys = KeyRepository(session, asked)
            is_mine = keys.insert(self._token, self._seconds)
            is_mine = is_mine or keys.take_over(self._token, self._seconds)
            record = keys.get()
            self.step = record.step if record is not None and is_mine else None
        return is_mine

    @property
    def is_held(self) -> bool:
        """Return whether the claim must be renewed."""
        return self._asked is not None and self.answer is None

    def renew(self) -> None:
        """Extend the lease; if it is lost, the next write fails."""
        if self._asked is not None:
            with self._database.write() as session:
                keys = KeyRepository(session, self._asked)
                keys.renew(self._token, self._seconds)

    def reach(self, session: Session, step: str) -> None:
        """Store the id of an object that this transaction creates before the answer."""
        self._note(session, step=step)
        self.step = step

    def complete(self, session: Session, answer: Answer) -> Answer:
        """Store the answer in the transaction that creates the object."""
        self._note(session, lease_until=0, **vars(answer))
        self.answer = answer
        return answer

    def forget(self) -> None:
        """Release the key; nothing was created."""
        if self._asked is not None:
            with self._database.write() as session:
                KeyRepository(session, self._asked).forget(self._token)

    def let_go(self) -> None:
        """End the lease after a failure; the next request continues from the step."""
        if self.step is None:
            self.forget()
        elif self._asked is not None:
            with self._database.write() as session:
                KeyRepository(session, self._asked).update(self._token, lease_until=0)

    def _note(self, session: Session, **values: object) -> None:
        if self._asked is None:
            return
        if not KeyRepository(session, self._asked).update(self._token, **values):
            raise _in_flight()

    def _replay(self, asked: Asked, record: IdempotencyKey | None) -> None:
        if record is not None and record.fingerprint != asked.fingerprint:
            raise KeyReused(
                "This Idempotency-Key was used for a different request. Send a new key "
                "with each request; repeat a key only to retry the same request."
            )
        if record is None or record.status is None or record.body is None:
            raise _in_flight()
        self.answer = Answer(record.status, record.body, record.location)
        self.is_replay = True


def _in_flight() -> RequestInFlight:
    return RequestInFlight(
        "A request with this Idempotency-Key is in progress. Retry in a second to get "
        "its answer."
    )
