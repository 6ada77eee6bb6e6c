"""The table of webhooks."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database.base import Base
from core.runs.tables import Run
from fitserve.enums import WebhookStatus


class Webhook(Base):
    """The outbox: the message that a run will send, stored together with the run.

    The message is due once the run has a terminal status, for any reason.
    `due_at` and `lease_until` are milliseconds of the database's clock.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index(None, "status", "due_at"),)

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    url: Mapped[str] = mapped_column(String(2000))
    secret: Mapped[str | None] = mapped_column(String(200))
    """Deleted after the last attempt."""
    status: Mapped[str] = mapped_column(String(20), default=WebhookStatus.WAITING)
    is_signed: Mapped[bool | None]
    """Whether it has or had a secret; None if it was created before this column."""
    attempts: Mapped[int] = mapped_column(default=0)
    """All attempts; the fence of the lease, which therefore never decreases."""
    attempts_before: Mapped[int] = mapped_column(default=0, server_default="0")
    """The attempts before the message was last replaced or sent again on request."""
    due_at: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_until: Mapped[int] = mapped_column(BigInteger, default=0)
    attempted_at: Mapped[datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(String(500))

    run: Mapped[Run] = relationship(lazy="raise")

    @property
    def attempts_now(self) -> int:
        """Return the number of attempts since the message was last queued."""
        return self.attempts - self.attempts_before
