"""Query the datasets of all workspaces, for workers and the janitor."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer

from core.database.lease import LeaseTable
from core.datasets.tables import Dataset, has_files
from fitserve.enums import DatasetStatus

_LEASES = LeaseTable(
    Dataset,
    Dataset.attempt,
    (Dataset.status == DatasetStatus.PROCESSING, Dataset.deleted_at.is_(None)),
)


class DatasetMaintenance:
    """The queries of workers and the janitor about datasets; routes do not use them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, dataset_id: str, lease_seconds: float) -> int | None:
        """Claim a dataset to read it. Return the number of the attempt, else None."""
        return _LEASES.claim(self._session, dataset_id, lease_seconds, _LEASES.unheld())

    def parent_of(self, dataset: Dataset) -> Dataset | None:
        """Return the version that an append extends, with its columns and blocks.

        Deleted or not: its rows are kept for the append.
        """
        if dataset.parent_id is None:
            return None
        parts = undefer(Dataset.columns), joinedload(Dataset.lineage)
        whole = *parts, selectinload(Dataset.earlier)
        query = select(Dataset).where(Dataset.id == dataset.parent_id).options(*whole)
        return self._session.scalar(query)

    def update(self, dataset_id: str, attempt: int, **values: Any) -> bool:
        """Change columns. Return False if the attempt no longer holds the dataset."""
        return _LEASES.update(self._session, dataset_id, attempt, **values)

    def renew(
        self, dataset_id: str, attempt: int, lease_seconds: float, progress: float
    ) -> bool:
        """Extend the lease and store the progress. Return False if the lease is lost."""
        return _LEASES.renew(
            self._session, dataset_id, attempt, lease_seconds, progress=progress
        )

    def lost_for_good(self, max_attempts: int) -> list[Dataset]:
        """Return lost datasets that have no attempt left."""
        query = select(Dataset).where(*_LEASES.unheld(), Dataset.attempt >= max_attempts)
        return list(self._session.scalars(query))

    def take_unsent(self, older_than_seconds: float) -> list[str]:
        """Mark datasets as sent that no worker has claimed. Return their ids."""
        return _LEASES.take_unsent(self._session, older_than_seconds, _LEASES.unheld())

    def mark_unsent(self, dataset_ids: Collection[str]) -> None:
        """Let the next `take_unsent` return datasets whose messages could not be sent."""
        _LEASES.mark_unsent(self._session, dataset_ids)

    def known(self, ids: Iterable[str]) -> set[str]:
        """Return the ids that have a row, deleted or not."""
        return set(self._session.scalars(select(Dataset.id).where(Dataset.id.in_(ids))))

    def kept_keys(self, ids: Iterable[str]) -> dict[str, set[str]]:
        """Return the file keys of each of the datasets that is read or deleted.

        A deleted dataset has no keys, unless a later version has its rows.
        """
        over = (Dataset.status != DatasetStatus.PROCESSING) | Dataset.deleted_at.is_not(
            None
        )
        query = select(Dataset, has_files()).where(Dataset.id.in_(ids), over)
        return {
            one.id: set(one.file_keys) if is_kept else set()
            for one, is_kept in self._session.execute(query)
        }

    def all_kept_keys(self) -> set[str]:
        """Return the file keys of all datasets that are not deleted.

        Those of a deleted dataset are included while a later version has its rows.
        """
        columns = (Dataset.content_key, Dataset.table_key, Dataset.hash_key)
        rows = self._session.execute(select(*columns).where(has_files()))
        return {key for row in rows for key in row if key}

    def waiting_ids(self, limit: int = 100) -> list[str]:
        """Return ids of datasets that no worker has claimed, the oldest first."""
        query = select(Dataset.id).where(*_LEASES.unheld()).order_by(Dataset.id)
        return list(self._session.scalars(query.limit(limit)))
