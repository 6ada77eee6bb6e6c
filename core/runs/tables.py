"""The tables of runs and their epochs."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database.base import Base, new_id, utc_now
from core.database.stored import Stored
from core.datasets.tables import Dataset
from core.runs.main_figure import MainFigureColumns
from core.runs.spec import ResolvedSpec, RunPlan
from core.runs.stored_spec import upgraded_spec
from core.runs.tags import Tags
from core.workers.tags import joined
from fitserve.enums import RunStatus
from fitserve.problems import Problem


class Run(MainFigureColumns, Base):
    """A training run; this row is the only record of its state.

    `attempt` is a fencing token: each write of a worker names its attempt, and changes
    nothing after another worker has claimed the run. `lease_until` and `sent_at` are
    milliseconds of the database's clock.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index(None, "status", "id"),
        Index(None, "workspace", "id"),
        Index(None, "workspace", "model_name", "id"),
        Index(None, "dataset_id", "id"),
        Index(None, "validation_dataset_id", "id"),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("run")
    )
    workspace: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20), default=RunStatus.QUEUED)
    stop_reason: Mapped[str | None] = mapped_column(String(20))
    model_name: Mapped[str] = mapped_column(String(100))
    model_version: Mapped[int | None]
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    validation_dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id"))
    target: Mapped[str] = mapped_column(String(1000))
    task: Mapped[str] = mapped_column(String(20))
    spec: Mapped[ResolvedSpec] = mapped_column(Stored(ResolvedSpec, upgraded_spec))
    plan: Mapped[RunPlan] = mapped_column(Stored(RunPlan))
    preset: Mapped[str | None] = mapped_column(
        String(40), default=lambda row: _inserted_value(row, "spec").preset
    )
    """Copied from the spec, as `num_seeds`, so that a list reads no spec."""
    num_seeds: Mapped[int] = mapped_column(
        default=lambda row: _inserted_value(row, "spec").fit.num_seeds, server_default="1"
    )
    num_params: Mapped[int] = mapped_column(
        BigInteger,
        default=lambda row: _inserted_value(row, "plan").num_params,
        server_default="0",
    )
    """The weights of the plan's layers, copied for the same reason."""
    tags: Mapped[dict[str, Any]] = mapped_column(Tags(none_as_null=True))
    notes: Mapped[str | None] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(
        default=lambda row: _inserted_value(row, "spec").priority, server_default="0"
    )
    """Copied from the spec, as `worker_tags`, because workers choose by them."""
    worker_tags: Mapped[str] = mapped_column(
        String(200),
        default=lambda row: joined(_inserted_value(row, "spec").worker_tags),
        server_default="",
    )
    is_small: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the estimated time is short; a long run gives way to small ones."""
    gave_way_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the run last returned to the queue to let a small one start."""
    attempt: Mapped[int] = mapped_column(default=0)
    handed_back: Mapped[int] = mapped_column(default=0)
    """Attempts after which a worker returned the run to the queue; they do not count."""
    lease_owner: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    epoch: Mapped[int] = mapped_column(default=0)
    epochs: Mapped[int]
    fit_seconds: Mapped[float] = mapped_column(default=0.0)
    best_epoch: Mapped[int | None]
    kept_fit: Mapped[int | None]
    """The number of the fit in a run with several seeds, from 1."""
    num_rows: Mapped[dict[str, Any]]
    """The rows of each side; estimates until a worker has split the table."""
    split_key: Mapped[str | None] = mapped_column(String(200))
    """The file with the side of each row; None before a worker has written it."""
    metrics: Mapped[dict[str, Any]]
    warnings: Mapped[list[Any]]
    error: Mapped[Problem | None] = mapped_column(Stored(Problem))
    traceparent: Mapped[str | None] = mapped_column(String(60))
    """The span of the request that created the run (W3C); its worker continues it."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    dataset: Mapped[Dataset] = relationship(foreign_keys=[dataset_id], lazy="joined")


def _inserted_value(row: Any, name: str) -> Any:
    """Return a value of the row that is being inserted."""
    return row.get_current_parameters()[name]


class WorkspaceTurn(Base):
    """When a worker last started a run of a workspace; the next turn goes to another."""

    __tablename__ = "workspace_turns"

    workspace: Mapped[str] = mapped_column(String(100), primary_key=True)
    started_at: Mapped[int] = mapped_column(BigInteger)
    """Milliseconds of the database's clock."""


class Epoch(Base):
    """The logs of one epoch; numbers that are not finite are null."""

    __tablename__ = "epochs"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    metrics: Mapped[dict[str, Any]]
    seconds: Mapped[float]
    """Seconds since the fit began."""
    fit: Mapped[int] = mapped_column(default=1, server_default="1")
    """The number of the fit in a run with several seeds, from 1."""


class History(Base):
    """All epochs of an ended run in one row; its epoch rows are deleted."""

    __tablename__ = "histories"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    content: Mapped[dict[str, Any]]
    """`epoch`, `fit` and `seconds` with a list each, and `metrics` with one for each."""


class Checkpoint(Base):
    """The newest checkpoint of a run; the next attempt continues from it.

    A file is loaded only if it has this sha256.
    """

    __tablename__ = "checkpoints"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[int]
    seconds: Mapped[float]
    """Seconds of the fit so far; time limits count them."""
    key: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    num_bytes: Mapped[int] = mapped_column(BigInteger)
