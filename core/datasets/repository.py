"""Query datasets for requests; maintenance.py has the queries of workers."""

from typing import TypeVarTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, undefer

from core.datasets.tables import Dataset
from core.errors import DatasetNotFound
from core.runs.tables import Run
from fitserve.enums import TERMINAL

Found = TypeVarTuple("Found")


class DatasetRepository:
    """The datasets of one workspace; datasets of other workspaces are not found."""

    def __init__(self, session: Session, workspace: str) -> None:
        self._session = session
        self._workspace = workspace

    def get(self, ref: str) -> Dataset:
        """Return the dataset with that id, or the newest upload of that name."""
        found = self._session.scalars(
            self._mine(select(Dataset).options(undefer(Dataset.columns)))
            .where((Dataset.id == ref) | (Dataset.name == ref))
            .order_by(Dataset.id.desc())
            .limit(1)
        ).first()
        if found is None:
            raise DatasetNotFound(ref, self.names())
        return found

    def hold(self, dataset: Dataset, *, alone: bool = False) -> None:
        """Lock a dataset against deletion until the transaction ends.

        Many transactions can hold it, or one `alone`. Raises DatasetNotFound.
        """
        query = self._mine(select(Dataset.id)).where(Dataset.id == dataset.id)
        if self._session.scalar(query.with_for_update(read=not alone)) is None:
            raise DatasetNotFound(dataset.name, self.names())

    def names(self) -> list[str]:
        """Return the names of the datasets, at most a thousand, for hints."""
        query = self._mine(select(Dataset.name))
        return list(self._session.scalars(query.distinct().limit(1000)))

    def page(
        self,
        after: str | None,
        limit: int,
        name: str | None = None,
        *,
        oldest_first: bool = False,
        with_columns: bool = True,
    ) -> list[Dataset]:
        """Return datasets after the id `after`, newest first unless `oldest_first`."""
        query = self._mine(select(Dataset))
        if with_columns:
            query = query.options(undefer(Dataset.columns))
        if after is not None:
            is_later = Dataset.id > after if oldest_first else Dataset.id < after
            query = query.where(is_later)
        if name is not None:
            query = query.where(Dataset.name == name)
        order = Dataset.id.asc() if oldest_first else Dataset.id.desc()
        return list(self._session.scalars(query.order_by(order).limit(limit)))

    def add(self, dataset: Dataset) -> None:
        """Store a new upload."""
        dataset.workspace = self._workspace
        self._session.add(dataset)

    def runs_that_need(self, dataset: Dataset) -> list[str]:
        """Return the ids of runs that read this dataset and have not ended."""
        reads = (Run.dataset_id == dataset.id) | (Run.validation_dataset_id == dataset.id)
        return list(
            self._session.scalars(
                select(Run.id).where(reads, Run.status.not_in(TERMINAL))
            )
        )

    def stored_bytes(self) -> int:
        """Return the total size of the uploads in bytes."""
        query = self._mine(select(func.sum(Dataset.num_bytes)))
        return int(self._session.scalar(query) or 0)

    def _mine(self, query: Select[*Found]) -> Select[*Found]:
        return query.where(
            Dataset.workspace == self._workspace, Dataset.deleted_at.is_(None)
        )
