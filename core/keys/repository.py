"""Query API keys."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.errors import KeyNotFound
from core.keys.tables import ApiKey


class ApiKeyRepository:
    """The keys of every workspace, for operators and for authentication."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: ApiKey) -> None:
        """Store a new key."""
        self._session.add(key)
        self._session.flush()

    def hash_of(self, key_id: str) -> tuple[str, str] | None:
        """Return only hash and pepper id: reading more would make known ids slower."""
        query = select(ApiKey.hash, ApiKey.pepper_id).where(ApiKey.id == key_id)
        row = self._session.execute(query).first()
        return (row[0], row[1]) if row is not None else None

    def find(self, key_id: str) -> ApiKey | None:
        """Return the key with that id, even if it has expired or was revoked."""
        return self._session.get(ApiKey, key_id)

    def in_force_named(self, name: str) -> list[str]:
        """Return the ids of the valid keys with that name, in every workspace."""
        query = select(ApiKey.id).where(ApiKey.name == name, *_valid())
        return list(self._session.scalars(query.order_by(ApiKey.id)))

    def page(
        self, after: str | None, limit: int, workspace: str | None = None
    ) -> list[ApiKey]:
        """Return the keys whose ids come after `after`, by id."""
        query = select(ApiKey).order_by(ApiKey.id).limit(limit)
        if after is not None:
            query = query.where(ApiKey.id > after)
        if workspace is not None:
            query = query.where(ApiKey.workspace == workspace)
        return list(self._session.scalars(query))

    def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key, unless it is revoked already; raise KeyNotFound."""
        key = self.find(key_id)
        if key is None:
            known = self._session.scalars(select(ApiKey.id).limit(1000))
            raise KeyNotFound(key_id, list(known))
        if key.revoked_at is None:
            key.revoked_at = utc_now()
        return key

    def any_ever(self) -> bool:
        """Return whether a key exists, including expired and revoked keys."""
        return self._session.scalar(select(ApiKey.id).limit(1)) is not None

    def any_valid(self) -> bool:
        """Return whether a valid key exists."""
        return (
            self._session.scalar(select(ApiKey.id).where(*_valid()).limit(1)) is not None
        )

    def valid(self, ids: Collection[str]) -> Sequence[ApiKey]:
        """Return those of the keys that are valid."""
        query = select(ApiKey).where(ApiKey.id.in_(ids), *_valid())
        return self._session.scalars(query).all()

    def note_use(self, ids: Collection[str]) -> None:
        """Set the time of last use of these keys to now."""
        self._session.execute(
            update(ApiKey).where(ApiKey.id.in_(ids)).values(last_used_at=utc_now())
        )


def _valid() -> tuple[ColumnElement[bool], ...]:
    now = utc_now()
    return (
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
    )
