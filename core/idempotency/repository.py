"""Query idempotency keys; each write names the token that holds the key."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.database.inserts import insert_into
from core.database.lease import LeaseTable, time_after
from core.idempotency.tables import IdempotencyKey

_LEASES = LeaseTable(
    IdempotencyKey, IdempotencyKey.token, (IdempotencyKey.status.is_(None),)
)


@dataclass(frozen=True)
class Asked:
    """A request with a key: its owner, and a digest of its content."""

    key: str
    fingerprint: str
    owner: str = ""


class KeyRepository:
    """The record of one key."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self._session = session
        self._asked = asked
        self._identity = (asked.owner, asked.key)

    def get(self) -> IdempotencyKey | None:
        """Return the record, if there is one."""
        return self._session.get(IdempotencyKey, self._identity)

    def is_abandoned(self) -> bool:
        """Return whether the record is unanswered and its lease has ended."""
        found = _LEASES.find_unheld(self._session, self._identity)
        return found is not None

    def insert(self, token: str, lease_seconds: float) -> bool:
        """Create the record. Return False if it exists; concurrent requests wait here."""
        made = self._session.execute(
            insert_into(self._session, IdempotencyKey)
            .values(
                **vars(self._asked),
                token=token,
                lease_until=time_after(lease_seconds),
                created_at=now_ms(),
            )
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        )
        return bool(made.all())

    def take_over(self, token: str, lease_seconds: float) -> bool:
        """Claim an abandoned record of an equal request. Return False without one."""
        where = [
            *_LEASES.unheld(),
            IdempotencyKey.fingerprint == self._asked.fingerprint,
        ]
        claimed = _LEASES.claim(
            self._session, self._identity, lease_seconds, where, token=token
        )
        return claimed is not None

    def renew(self, token: str, lease_seconds: float) -> bool:
        """Extend the lease. Return False if the token no longer holds the key."""
        return _LEASES.renew(self._session, self._identity, token, lease_seconds)

    def update(self, token: str, **values: Any) -> bool:
        """Change columns. Return False if the token no longer holds the key."""
        return _LEASES.update(self._session, self._identity, token, **values)

    def forget(self, token: str) -> None:
        """Delete the record if the token holds it and no answer is stored."""
        held = _LEASES.held(self._identity, token)
        self._session.execute(delete(IdempotencyKey).where(*held))


def sweep_keys(session: Session, keep_seconds: float) -> None:
    """Delete keys older than `keep_seconds`, except keys of requests in progress."""
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.created_at < time_after(-keep_seconds),
            IdempotencyKey.lease_until < now_ms(),
        )
    )
