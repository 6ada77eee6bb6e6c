"""The tables of models, versions, artifacts, aliases and their changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database.base import Base, new_id, utc_now
from core.database.stored import Stored
from core.models.signature import Signature
from core.runs.main_figure import MainFigureColumns
from fitserve.enums import Promotion
from fitserve.schemas.report import Headline
from fitserve.schemas.runs import LayerPlan


def _of_model() -> ForeignKeyConstraint:
    columns = ["workspace", "model_name"]
    return ForeignKeyConstraint(columns, ["models.workspace", "models.name"])


class Model(Base):
    """A named model; two workspaces may use the same name."""

    __tablename__ = "models"

    workspace: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    serving_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("versions.id", use_alter=True)
    )
    """The version for requests that name neither a version nor an alias."""
    follows_newest: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether every new version serves at once, as in models of earlier releases."""
    promotion: Mapped[str] = mapped_column(
        String(20), default=Promotion.AUTOMATIC, server_default=Promotion.AUTOMATIC
    )
    """Whether the end of a run may move the serving version without a request."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Artifact(Base):
    """A file that a run produced; it is loaded only if it has this sha256."""

    __tablename__ = "artifacts"

    version_id: Mapped[str] = mapped_column(
        ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    num_bytes: Mapped[int] = mapped_column(BigInteger)


class Version(MainFigureColumns, Base):
    """A numbered version of a model; immutable, except for the best baseline."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("workspace", "model_name", "number"),
        _of_model(),
    )

    id: Mapped[str] = mapped_column(
        String(40), primary_key=True, default=lambda: new_id("version")
    )
    workspace: Mapped[str] = mapped_column(String(100))
    model_name: Mapped[str] = mapped_column(String(100))
    number: Mapped[int]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), unique=True)
    signature: Mapped[Signature] = mapped_column(Stored(Signature))
    metrics: Mapped[dict[str, Any]]
    best_epoch: Mapped[int | None]
    layers: Mapped[list[LayerPlan]] = mapped_column(Stored(list[LayerPlan]))
    headline: Mapped[Headline | None] = mapped_column(Stored(Headline))
    """The metrics of its report that lists show; None if nothing was measured."""
    is_whole: Mapped[bool]
    """False if its run was cancelled; such a version serves only if nothing else can."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    artifacts: Mapped[list[Artifact]] = relationship(
        lazy="selectin", order_by=Artifact.name
    )

    def artifact(self, name: str) -> Artifact | None:
        """Return the artifact with that name, if the run produced it."""
        return next((a for a in self.artifacts if a.name == name), None)


def newest_of(versions: Sequence[Version]) -> Version:
    """Return the newest version; versions of cancelled runs come last."""
    return max(versions, key=lambda version: (version.is_whole, version.number))


class Alias(Base):
    """A movable pointer to a version of its model."""

    __tablename__ = "aliases"
    __table_args__ = (_of_model(),)

    workspace: Mapped[str] = mapped_column(String(100), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    version: Mapped[Version] = relationship(lazy="joined")


class ModelChange(Base):
    """A change of an alias or of the serving version of a model; immutable."""

    __tablename__ = "model_changes"
    __table_args__ = (_of_model(),)

    workspace: Mapped[str] = mapped_column(String(100), primary_key=True)
    model_name: Mapped[str] = mapped_column(String(100), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The number among the changes of the model, from 1."""
    alias: Mapped[str | None] = mapped_column(String(100))
    """The alias that changed; None for the serving version."""
    before: Mapped[int | None]
    """The number of the version before the change, if any."""
    after: Mapped[int | None]
    """The number of the version after the change; None if the alias was deleted."""
    who: Mapped[str] = mapped_column(String(300))
    why: Mapped[str] = mapped_column(String(1000))
    undoes: Mapped[int | None]
    """The number of the change that this one undid."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
