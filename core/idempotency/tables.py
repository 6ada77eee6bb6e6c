"""The table of idempotency keys."""

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database.base import Base


class IdempotencyKey(Base):
    """The progress of a request with the key; it is answered once `status` is set.

    `token` names the request that may write here until `lease_until`. Times are
    milliseconds by the database's clock.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "created_at"),)

    owner: Mapped[str] = mapped_column(String(100), primary_key=True)
    """The workspace: equal keys of two workspaces are different."""
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    token: Mapped[str] = mapped_column(String(32))
    lease_until: Mapped[int] = mapped_column(BigInteger)
    step: Mapped[str | None] = mapped_column(String(100))
    """The id of what was created before the answer."""
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[int] = mapped_column(BigInteger)
