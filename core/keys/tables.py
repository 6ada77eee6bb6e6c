"""The table of API keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.database.base import Base, utc_now


class ApiKey(Base):
    """An API key; the row holds the hash of its secret only.

    A revoked key keeps its row, so that revoking the last key does not open the service.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    hash: Mapped[str] = mapped_column(String(64))
    pepper_id: Mapped[str] = mapped_column(String(16))
    last_four: Mapped[str] = mapped_column(String(4))
    scopes: Mapped[list[Any]]
    limits: Mapped[dict[str, Any]]
    """KeyLimits; the service's settings apply to absent values and to nulls."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    """Accurate to about a minute: requests do not write it themselves."""
