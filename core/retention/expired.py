"""Find what is older than the retention settings keep, in every workspace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from core.database.base import utc_now
from core.datasets.repository import needs_dataset
from core.datasets.tables import Dataset
from core.models.tables import Alias, Model, ModelChange, Version
from core.models.undoable import can_be_undone
from core.runs.tables import Epoch, History, Run
from core.settings import RetentionRules
from core.webhooks.tables import Webhook
from fitserve.enums import TERMINAL, DatasetStatus, WebhookStatus

Columns = TypeVarTuple("Columns")


class Kind(StrEnum):
    """A kind of rows that have an age limit, in the order in which `prune` deletes them.

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


@dataclass(frozen=True)
class _Page:
    """Up to `limit` rows from before a moment, with ids after the given one."""

    before: datetime
    limit: int
    after: str

    def of(
        self, query: Select[*Columns], row_id: InstrumentedAttribute[str]
    ) -> Select[*Columns]:
        """Return the query of this page only, by id."""
        return query.where(row_id > self.after).order_by(row_id).limit(self.limit)


_Find = Callable[[Session, _Page], list[Expired]]


def find_expired(
    session: Session, kind: Kind, rules: RetentionRules, limit: int, after: str = ""
) -> list[Expired]:
    """Return up to `limit` expired rows of a kind with ids after the given one, by id."""
    days = rules.days(kind)
    if days is None:
        return []
    before = utc_now() - timedelta(days=days)
    return _FINDERS[kind](session, _Page(before, limit, after))


def _versions(session: Session, page: _Page) -> list[Expired]:
    serves = exists().where(Model.serving_version_id == Version.id)
    has_alias = exists().where(Alias.version_id == Version.id)
    query = (
        select(Version.workspace, Version.id, Version.model_name, Version.number)
        .where(Version.created_at < page.before, ~serves, ~has_alias)
        .where(~_is_newest(), ~_is_rollback_target())
    )
    rows = session.execute(page.of(query, Version.id))
    return [Expired(row[0], row[1], f"{row[2]} version {row[3]}") for row in rows]


def _is_newest() -> ColumnElement[bool]:
    """Return the condition of the newest version of a model.

    Kept so that a model always has the version that its last run made.
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


def _datasets(session: Session, page: _Page) -> list[Expired]:
    other = aliased(Dataset)
    newer = exists().where(
        other.workspace == Dataset.workspace,
        other.name == Dataset.name,
        other.version > Dataset.version,
        other.deleted_at.is_(None),
        other.status == DatasetStatus.READY,
    )
    is_read = exists().where(needs_dataset(Dataset.id))
    query = (
        select(Dataset.workspace, Dataset.id, Dataset.name, Dataset.version)
        .where(Dataset.created_at < page.before, Dataset.deleted_at.is_(None))
        .where(newer, ~is_read, Dataset.status != DatasetStatus.PROCESSING)
    )
    rows = session.execute(page.of(query, Dataset.id))
    return [Expired(row[0], row[1], f"{row[2]}@{row[3]}") for row in rows]


def _runs(session: Session, page: _Page) -> list[Expired]:
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
        .where(*_ended(page.before), ~has_version, ~sends)
        .where(or_(Run.model_version.is_(None), higher))
    )
    rows = session.execute(page.of(query, Run.id))
    return [Expired(row[0], row[1], row[1]) for row in rows]


def _histories(session: Session, page: _Page) -> list[Expired]:
    has_history = or_(
        exists().where(History.run_id == Run.id), exists().where(Epoch.run_id == Run.id)
    )
    query = select(Run.workspace, Run.id).where(*_ended(page.before), has_history)
    rows = session.execute(page.of(query, Run.id))
    return [Expired(row[0], row[1], row[1]) for row in rows]


def _ended(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return Run.status.in_(TERMINAL), Run.ended_at < before


_FINDERS: Mapping[Kind, _Find] = {
    Kind.VERSIONS: _versions,
    Kind.DATASETS: _datasets,
    Kind.RUNS: _runs,
    Kind.HISTORIES: _histories,
}
