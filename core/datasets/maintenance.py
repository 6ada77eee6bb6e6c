"""Every query that workers and sweepers make about datasets, whosesoever they are."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from core.database.clock import now_ms
from core.datasets.tables import Dataset
from fitserve.enums import DatasetStatus


class DatasetMaintenance:
    """Claims datasets that are to be read; no request is answered from here."""

    def __init__(self, session: Session) -> None:
        self._session = session

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
