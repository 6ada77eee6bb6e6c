"""Every query about idempotency keys; each write names the token that it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.idempotency.tables import IdempotencyKey

Insert = Callable[[type[IdempotencyKey]], sqlite.Insert | postgresql.Insert]
_INSERTS: dict[str, Insert] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


@dataclass(frozen=True)
class Asked:
    """A request that bears a key: whose it is, and a digest of what it asks."""

    key: str
    fingerprint: str
    owner: str = ""


class KeyRepository:
    """The record of one key."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self._session = session
        self._asked = asked

    def get(self) -> IdempotencyKey | None:
        """The record as it stands."""
        return self._session.get(IdempotencyKey, (self._asked.owner, self._asked.key))

    def is_abandoned(self) -> bool:
        """Whether the record waits for somebody to go on."""
        return bool(
            self._session.scalar(
                select(IdempotencyKey.key).where(
                    *self._open(), IdempotencyKey.lease_until < now_ms()
                )
            )
        )

    def insert(self, token: str, lease_seconds: float) -> bool:
        """Make the record; False if there is one. Twins wait here for each other."""
        insert = _INSERTS[self._session.get_bind().dialect.name]
        made = self._session.execute(
            insert(IdempotencyKey)
            .values(
                **vars(self._asked),
                token=token,
                lease_until=_until(lease_seconds),
                created_at=now_ms(),
            )
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        )
        return bool(made.all())

    def take_over(self, token: str, lease_seconds: float) -> bool:
        """Go on where a request left off that is no more; False if it still works."""
        return self._update(
            IdempotencyKey.lease_until < now_ms(),
            IdempotencyKey.fingerprint == self._asked.fingerprint,
            token=token,
            lease_until=_until(lease_seconds),
        )

    def renew(self, token: str, lease_seconds: float) -> bool:
        """Hold on for another term."""
        return self.update(token, lease_until=_until(lease_seconds))

    def update(self, token: str, **values: Any) -> bool:
        """Change columns if the token still holds the key; False if not."""
        return self._update(IdempotencyKey.token == token, **values)

    def forget(self, token: str) -> None:
        """Drop the record, unless it is answered or another's."""
        held = IdempotencyKey.token == token
        self._session.execute(delete(IdempotencyKey).where(*self._open(), held))

    def _update(self, *conditions: ColumnElement[bool], **values: Any) -> bool:
        changed = self._session.execute(
            update(IdempotencyKey)
            .where(*self._open(), *conditions)
            .values(**values)
            .returning(IdempotencyKey.key)
        )
        return bool(changed.all())

    def _open(self) -> tuple[ColumnElement[bool], ...]:
        return (
            IdempotencyKey.owner == self._asked.owner,
            IdempotencyKey.key == self._asked.key,
            IdempotencyKey.status.is_(None),
        )


def sweep_keys(session: Session, keep_seconds: float) -> None:
    """Forget keys older than that, but for those at work."""
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.created_at < now_ms() - int(keep_seconds * 1000),
            IdempotencyKey.lease_until < now_ms(),
        )
    )


def _until(seconds: float) -> Any:
    return now_ms() + int(seconds * 1000)
