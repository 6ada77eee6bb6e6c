"""The table of idempotency keys."""

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database.base import Base


class IdempotencyKey(Base):
    """The state of a request with the key; its answer is stored once `status` is set.

    `token` names the request that may write to this row until `lease_until`. Times are
    milliseconds of the database's clock.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "created_at"),)

    owner: Mapped[str] = mapped_column(String(100), primary_key=True)
    """The workspace; two workspaces may use the same key."""
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    token: Mapped[str] = mapped_column(String(32))
    lease_until: Mapped[int] = mapped_column(BigInteger)
    step: Mapped[str | None] = mapped_column(String(100))
    """The id of the object created before the answer."""
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[int] = mapped_column(BigInteger)
