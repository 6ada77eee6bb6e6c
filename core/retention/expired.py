"""Find what is older than the retention settings keep, in every workspace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.database.base import utc_now
from core.datasets.tables import Dataset
from core.models.tables import Alias, Model, ModelChange, Version
from core.models.undoable import can_be_undone
from core.runs.tables import Epoch, History, Run
from core.settings import RetentionRules
from core.webhooks.tables import Webhook
from fitserve.enums import TERMINAL, DatasetStatus, WebhookStatus


class Kind(StrEnum):
    """A kind of rows that have an age limit, in the order of deletion.

    A version comes before its run, because a run with a version is kept.
    """

    VERSIONS = "versions"
    DATASETS = "datasets"
    RUNS = "runs"
    HISTORIES = "histories"


@dataclass(frozen=True)
class Expired:
    """A row that has expired: its workspace, its id, and how people name it."""

    workspace: str
    id: str
    name: str


Find = Callable[[Session, datetime, int], list[Expired]]


def find_expired(
    session: Session, kind: Kind, rules: RetentionRules, limit: int
) -> list[Expired]:
    """Return up to `limit` expired rows of a kind, the oldest first."""
    days: float | None = getattr(rules, f"{kind}_days")
    if days is None:
        return []
    return _FINDERS[kind](session, utc_now() - timedelta(days=days), limit)


def _versions(session: Session, before: datetime, limit: int) -> list[Expired]:
    serves = exists().where(Model.serving_version_id == Version.id)
    has_alias = exists().where(Alias.version_id == Version.id)
    query = (
        select(Version.workspace, Version.id, Version.model_name, Version.number)
        .where(Version.created_at < before, ~serves, ~has_alias)
        .where(~_is_newest(), ~_is_rollback_target())
        .order_by(Version.id)
        .limit(limit)
    )
    rows = session.execute(query)
    return [Expired(row[0], row[1], f"{row[2]} version {row[3]}") for row in rows]


def _is_newest() -> ColumnElement[bool]:
    """Return the condition of the newest version of a model.

    A model of an earlier release that follows its newest version has no other mark.
    """
    other = aliased(Version)
    same = other.workspace == Version.workspace, other.model_name == Version.model_name
    newest = select(func.max(other.number)).where(*same).scalar_subquery()
    return Version.number == newest


def _is_rollback_target() -> ColumnElement[bool]:
    """Return the condition of a version to which the next rollback would return."""
    change, other = aliased(ModelChange), aliased(ModelChange)
    later = exists().where(
        other.workspace == change.workspace,
        other.model_name == change.model_name,
        other.alias.is_not_distinct_from(change.alias),
        other.number > change.number,
        can_be_undone(other),
    )
    return exists().where(
        change.workspace == Version.workspace,
        change.model_name == Version.model_name,
        change.before == Version.number,
        can_be_undone(change),
        ~later,
    )


def _datasets(session: Session, before: datetime, limit: int) -> list[Expired]:
    other = aliased(Dataset)
    newer = exists().where(
        other.workspace == Dataset.workspace,
        other.name == Dataset.name,
        other.version > Dataset.version,
        other.deleted_at.is_(None),
        other.status == DatasetStatus.READY,
    )
    reads = or_(Run.dataset_id == Dataset.id, Run.validation_dataset_id == Dataset.id)
    is_read = exists().where(reads, Run.status.not_in(TERMINAL))
    query = (
        select(Dataset.workspace, Dataset.id, Dataset.name, Dataset.version)
        .where(Dataset.created_at < before, Dataset.deleted_at.is_(None))
        .where(newer, ~is_read, Dataset.status != DatasetStatus.PROCESSING)
        .order_by(Dataset.id)
        .limit(limit)
    )
    rows = session.execute(query)
    return [Expired(row[0], row[1], f"{row[2]}@{row[3]}") for row in rows]


def _runs(session: Session, before: datetime, limit: int) -> list[Expired]:
    """Return expired runs. The highest number of a model's versions stays known."""
    other = aliased(Run)
    has_version = exists().where(Version.run_id == Run.id)
    higher = exists().where(
        other.workspace == Run.workspace,
        other.model_name == Run.model_name,
        other.model_version > Run.model_version,
    )
    sends = exists().where(
        Webhook.run_id == Run.id, Webhook.status == WebhookStatus.WAITING
    )
    query = (
        select(Run.workspace, Run.id)
        .where(*_ended(before), ~has_version, ~sends)
        .where(or_(Run.model_version.is_(None), higher))
        .order_by(Run.id)
        .limit(limit)
    )
    return [Expired(row[0], row[1], row[1]) for row in session.execute(query)]


def _histories(session: Session, before: datetime, limit: int) -> list[Expired]:
    has_history = or_(
        exists().where(History.run_id == Run.id), exists().where(Epoch.run_id == Run.id)
    )
    query = select(Run.workspace, Run.id).where(*_ended(before), has_history)
    rows = session.execute(query.order_by(Run.id).limit(limit))
    return [Expired(row[0], row[1], row[1]) for row in rows]


def _ended(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return Run.status.in_(TERMINAL), Run.ended_at < before


_FINDERS: Mapping[Kind, Find] = {
    Kind.VERSIONS: _versions,
    Kind.DATASETS: _datasets,
    Kind.RUNS: _runs,
    Kind.HISTORIES: _histories,
}
