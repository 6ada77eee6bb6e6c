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
from core.runs.histories import compact, uncompacted
from core.runs.tables import Epoch, History, Run
from core.settings import RetentionRules
from core.storage import Storage

log = logging.getLogger(__name__)

AT_ONCE = 200
"""The most rows of a kind that one call handles, so that other writers get their turn."""
WITH_FILES = (Kind.VERSIONS, Kind.DATASETS)
"""The kinds whose files are deleted with their rows."""


@dataclass(frozen=True)
class Removed:
    """The result of a call that deletes.

    Args:
        rows: the rows that are gone.
        last: the id after which the next call continues; "" if no expired row follows.

    """

    rows: Sequence[Expired]
    last: str


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

    def expired(self, kind: Kind, limit: int, after: str = "") -> list[Expired]:
        """Return up to `limit` expired rows with ids after the given one, by id.

        Nothing is deleted. A run is not among them as long as its version exists.
        """
        with self.database.read() as session:
            return find_expired(session, kind, self.rules, limit, after)

    def remove(self, kind: Kind, after: str = "") -> Removed:
        """Delete up to `AT_ONCE` expired rows of a kind with ids after the given one.

        Rows that are in use by now are skipped. Raises StorageUnavailable, before a row
        is deleted, if the kind has files and their storage does not answer.
        """
        expired = self.expired(kind, AT_ONCE, after)
        last = expired[-1].id if len(expired) == AT_ONCE else ""
        if not expired:
            return Removed([], last)
        if kind in WITH_FILES:
            self.storage.check()
            return Removed([one for one in expired if self._remove_one(kind, one)], last)
        with self.database.write() as session:
            _delete(session, kind, [one.id for one in expired])
        return Removed(expired, last)

    def compact_histories(self) -> None:
        """Compact up to `AT_ONCE` histories of runs that ended some time ago."""
        with self.database.read() as session:
            days = self.rules.compact_histories_days
            run_ids = uncompacted(session, days, AT_ONCE)
        for run_id in run_ids:
            with self.database.write() as session:
                compact(session, run_id)

    def _remove_one(self, kind: Kind, expired: Expired) -> bool:
        """Delete a version or a dataset. Return False if it is in use by now, or gone."""
        try:
            with self.database.write() as session:
                if kind == Kind.DATASETS:
                    workspace, dataset_id = expired.workspace, expired.id
                    delete_dataset(session, self.storage, workspace, dataset_id)
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
    ids_of_rows = [Run.id] if kind == Kind.RUNS else [Epoch.run_id, History.run_id]
    for run_id in ids_of_rows:
        given = is_one_of(session, run_id, run_ids)
        session.execute(delete(run_id.class_).where(given))
