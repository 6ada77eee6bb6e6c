"""Every query about datasets."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.datasets.tables import Dataset
from core.errors import DatasetNotFound
from core.runs.tables import Run
from fitserve.statuses import TERMINAL, DatasetStatus


class DatasetRepository:
    """Finds datasets by id or by name."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, ref: str) -> Dataset:
        """The dataset with that id, or the newest upload of that name."""
        found = self._session.scalars(
            select(Dataset)
            .where((Dataset.id == ref) | (Dataset.name == ref))
            .where(Dataset.deleted_at.is_(None))
            .order_by(Dataset.id.desc())
            .limit(1)
        ).first()
        if found is None:
            raise DatasetNotFound(ref, self.names())
        return found

    def names(self) -> list[str]:
        """Every name, at most a thousand, for hints."""
        query = select(Dataset.name).where(Dataset.deleted_at.is_(None))
        return list(self._session.scalars(query.distinct().limit(1000)))

    def page(
        self,
        after: str | None,
        limit: int,
        name: str | None = None,
        *,
        oldest_first: bool = False,
    ) -> list[Dataset]:
        """Datasets, newest first unless told, from behind the id `after`."""
        query = select(Dataset).where(Dataset.deleted_at.is_(None))
        if after is not None:
            behind = Dataset.id > after if oldest_first else Dataset.id < after
            query = query.where(behind)
        if name is not None:
            query = query.where(Dataset.name == name)
        order = Dataset.id.asc() if oldest_first else Dataset.id.desc()
        return list(self._session.scalars(query.order_by(order).limit(limit)))

    def add(self, dataset: Dataset) -> None:
        """Store a new upload."""
        self._session.add(dataset)

    def runs_that_need(self, dataset: Dataset) -> list[str]:
        """Ids of runs that have not ended and read this dataset."""
        reads = (Run.dataset_id == dataset.id) | (Run.validation_dataset_id == dataset.id)
        return list(
            self._session.scalars(
                select(Run.id).where(reads, Run.status.not_in(TERMINAL))
            )
        )

    def claim(self, dataset_id: str, lease_seconds: float) -> int | None:
        """The number of the attempt at reading it; None if it is not to be had."""
        return self._session.scalar(
            update(Dataset)
            .where(Dataset.id == dataset_id, *_unheld())
            .values(attempt=Dataset.attempt + 1, lease_until=_until(lease_seconds))
            .returning(Dataset.attempt)
        )

    def update(self, dataset_id: str, attempt: int, **values: Any) -> bool:
        """Change columns if this attempt still holds the dataset; False if not."""
        changed = self._session.execute(
            update(Dataset)
            .where(
                Dataset.id == dataset_id,
                Dataset.attempt == attempt,
                Dataset.status == DatasetStatus.PROCESSING,
                Dataset.deleted_at.is_(None),
            )
            .values(**values)
            .returning(Dataset.id)
        )
        return bool(changed.all())

    def renew(
        self, dataset_id: str, attempt: int, lease_seconds: float, progress: float
    ) -> bool:
        """Hold on for another term, and say how far it is; False if it is too late."""
        until = _until(lease_seconds)
        return self.update(dataset_id, attempt, lease_until=until, progress=progress)

    def lost_for_good(self, max_attempts: int) -> list[Dataset]:
        """Datasets whose reader is gone for the last allowed time."""
        query = select(Dataset).where(*_unheld(), Dataset.attempt >= max_attempts)
        return list(self._session.scalars(query))

    def take_unsent(self, older_than_seconds: float) -> list[str]:
        """Ids of datasets that nobody came for, marked as sent now."""
        due = now_ms() - int(older_than_seconds * 1000)
        return list(
            self._session.scalars(
                update(Dataset)
                .where(*_unheld(), or_(Dataset.sent_at.is_(None), Dataset.sent_at < due))
                .values(sent_at=now_ms())
                .returning(Dataset.id)
            )
        )

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that have a row, deleted or not."""
        return set(self._session.scalars(select(Dataset.id).where(Dataset.id.in_(ids))))

    def kept_keys(self, ids: Iterable[str]) -> dict[str, set[str]]:
        """What is kept of those of the datasets that gain no more; none if deleted."""
        over = (Dataset.status != DatasetStatus.PROCESSING) | Dataset.deleted_at.is_not(
            None
        )
        found = self._session.scalars(select(Dataset).where(Dataset.id.in_(ids), over))
        return {
            one.id: set() if one.deleted_at else {one.content_key, one.table_key}
            for one in found
        }

    def waiting_ids(self, limit: int = 100) -> list[str]:
        """Ids of datasets that nobody reads yet, the oldest first."""
        query = select(Dataset.id).where(*_unheld()).order_by(Dataset.id).limit(limit)
        return list(self._session.scalars(query))


def _until(seconds: float) -> Any:
    return now_ms() + int(seconds * 1000)


def _unheld() -> tuple[ColumnElement[bool], ...]:
    return (
        Dataset.status == DatasetStatus.PROCESSING,
        Dataset.deleted_at.is_(None),
        or_(Dataset.lease_until.is_(None), Dataset.lease_until < now_ms()),
    )
