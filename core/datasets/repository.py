"""Every query about datasets."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.datasets.tables import Dataset
from core.errors import DatasetNotFound
from core.runs.tables import Run
from fitserve.statuses import TERMINAL


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

    def page(self, after: str | None, limit: int, name: str | None) -> list[Dataset]:
        """Datasets, newest first, from below the id `after`."""
        query = select(Dataset).where(Dataset.deleted_at.is_(None))
        if after is not None:
            query = query.where(Dataset.id < after)
        if name is not None:
            query = query.where(Dataset.name == name)
        return list(self._session.scalars(query.order_by(Dataset.id.desc()).limit(limit)))

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
