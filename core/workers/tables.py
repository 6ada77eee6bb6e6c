"""The table of worker processes; each process writes its own row."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database.base import Base


class Worker(Base):
    """A process that works on runs or datasets.

    Health checks, metrics and the check of a spec's `worker_tags` use the rows; no claim
    depends on them. `seen_at` is milliseconds by the database's clock.
    """

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    """`host:pid`, as in `lease_owner` of a run."""
    kind: Mapped[str] = mapped_column(String(20))
    """`runs`, `datasets` or `both`."""
    tags: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """The tags of the worker, as `core.workers.tags.joined` writes them."""
    seen_at: Mapped[int] = mapped_column(BigInteger)
