"""Delete expired rows, and the files that only they name, in small transactions."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.database.dialects import is_one_of
from core.database.sessions import Database
from core.datasets.deletion import delete_dataset
from core.errors import FitserveError
from core.models.deletion import delete_version
from core.models.tables import Version
from core.retention.expired import Expired, Kind, find_expired
from core.runs.histories import fold, unfolded
from core.runs.tables import Epoch, History, Run
from core.settings import RetentionRules
from core.storage import Storage

log = logging.getLogger(__name__)

AT_ONCE = 200
"""The most rows of a kind that one call handles, so that other writers get their turn."""


@dataclass(frozen=True)
class Retention:
    """The deletion of what the settings no longer keep, for any number of processes.

    Args:
        database: the database.
        storage: the storage of the files.
        rules: the age limits.

    """

    database: Database
    storage: Storage
    rules: RetentionRules

    def expired(self, kind: Kind, limit: int) -> list[Expired]:
        """Return up to `limit` rows that have expired; nothing is deleted.

        A run is not among them as long as its version exists.
        """
        with self.database.read() as session:
            return find_expired(session, kind, self.rules, limit)

    def remove(self, kind: Kind) -> list[Expired]:
        """Delete up to `AT_ONCE` expired rows of a kind. Return those that are gone.

        Raises StorageUnavailable.
        """
        expired = self.expired(kind, AT_ONCE)
        if kind in (Kind.VERSIONS, Kind.DATASETS):
            return [one for one in expired if self._remove_one(kind, one)]
        if expired:
            with self.database.write() as session:
                _delete(session, kind, [one.id for one in expired])
        return expired

    def fold(self) -> int:
        """Fold histories of runs that ended some time ago. Return how many."""
        with self.database.read() as session:
            days = self.rules.fold_histories_days
            run_ids = unfolded(session, days, AT_ONCE)
        for run_id in run_ids:
            with self.database.write() as session:
                fold(session, run_id)
        return len(run_ids)

    def _remove_one(self, kind: Kind, expired: Expired) -> bool:
        """Delete a version or a dataset. Return False if it is in use by now, or gone."""
        try:
            with self.database.write() as session:
                if kind == Kind.DATASETS:
                    where = self.storage, expired.workspace, expired.id
                    delete_dataset(session, *where)
                else:
                    self._delete_version(session, expired)
        except FitserveError as error:
            log.info("%s was not deleted: %s", expired.name, error)
            return False
        return True

    def _delete_version(self, session: Session, expired: Expired) -> None:
        version = session.scalar(select(Version).where(Version.id == expired.id))
        if version is not None:
            model = expired.workspace, version.model_name
            delete_version(session, self.storage, *model, version.number)


def _delete(session: Session, kind: Kind, run_ids: Sequence[str]) -> None:
    """Delete runs with all that belongs to them, or their histories only."""
    tables = [Run.id] if kind == Kind.RUNS else [Epoch.run_id, History.run_id]
    for column in tables:
        given = is_one_of(session, column, run_ids)
        session.execute(delete(column.class_).where(given))
