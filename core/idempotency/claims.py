"""One request works on a key at a time, and its answer is the answer to the key.

What it makes and what it notes about it are one transaction, fenced by its token: a
request that was thought dead, and another took its place, can commit nothing more.
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
    """What a key is answered with, now and ever after."""

    status: int
    body: str
    location: str | None = None


class Claim:
    """A request's right to answer a key, or the answer that was given already.

    Without a key it notes nothing, so that a route need not ask whether there is one.
    """

    def __init__(
        self, database: Database, asked: Asked | None, lease_seconds: float
    ) -> None:
        self.answer: Answer | None = None
        self.is_replay = False
        """Whether the answer was given to another request before."""
        self.step: str | None = None
        """The id of what is made already, by this request or one that died."""
        self._database = database
        self._asked = asked
        self._seconds = lease_seconds
        self._token = secrets.token_hex(16)

    def begin(self) -> None:
        """Take the key, or find its answer; RequestInFlight, KeyReused."""
        if self._asked is None:
            return
        with self._database.read() as session:  # a twin waits for no writer
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
        """Whether there is a key to hold on to."""
        return self._asked is not None and self.answer is None

    def renew(self) -> None:
        """Hold on for another term; too late is found out by what is noted next."""
        if self._asked is not None:
            with self._database.write() as session:
                keys = KeyRepository(session, self._asked)
                keys.renew(self._token, self._seconds)

    def reach(self, session: Session, step: str) -> None:
        """Note what the session's transaction makes on the way to the answer."""
        self._note(session, step=step)
        self.step = step

    def complete(self, session: Session, answer: Answer) -> Answer:
        """Note the answer within the transaction that makes what it tells of."""
        self._note(session, lease_until=0, **vars(answer))
        self.answer = answer
        return answer

    def forget(self) -> None:
        """Nothing was made: the key is as if it had never been sent."""
        if self._asked is not None:
            with self._database.write() as session:
                KeyRepository(session, self._asked).forget(self._token)

    def let_go(self) -> None:
        """It broke on the way: whoever sends the key again goes on from here."""
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
                "This Idempotency-Key came with another request before; send a new key "
                "with every new request, and the same only with the very same one."
            )
        if record is None or record.status is None or record.body is None:
            raise _in_flight()
        self.answer = Answer(record.status, record.body, record.location)
        self.is_replay = True


def _in_flight() -> RequestInFlight:
    return RequestInFlight(
        "A request with this Idempotency-Key is being worked on; send it again in a "
        "second to get its answer."
    )
