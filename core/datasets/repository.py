"""Query datasets for requests; maintenance.py has the queries of workers."""

from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload, undefer

from core.database.named_locks import take_lock
from core.datasets.tables import Dataset, DatasetBlock, has_files, with_blocks
from core.errors import DatasetNotFound
from core.runs.tables import Run
from fitserve.enums import TERMINAL, DatasetStatus
from fitserve.names import parse_reference, version_ref

Found = TypeVarTuple("Found")
_SHOWN = 100


def needs_dataset(dataset_id: str | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition of a run that reads a dataset and has not ended."""
    reads = (Run.dataset_id == dataset_id) | (Run.validation_dataset_id == dataset_id)
    return reads & Run.status.not_in(TERMINAL)


class DatasetRepository:
    """The datasets of one workspace; datasets of other workspaces are not found."""

    def __init__(self, session: Session, workspace: str) -> None:
        self._session = session
        self._workspace = workspace

    def get(self, ref: str) -> Dataset:
        """Return the dataset with that id, or a version of that name.

        `houses@2` is a version; the name alone is the newest one. An id comes before a
        dataset that has the id of another one as its name.
        """
        asked = parse_reference(ref)
        first = (Dataset.id == ref).desc(), Dataset.version.desc()
        query = self._whole().order_by(*first).limit(1)
        if asked.version is None:
            query = query.where((Dataset.id == ref) | (Dataset.name == ref))
        else:
            by_version = Dataset.name == asked.name, Dataset.version == asked.version
            query = query.where(*by_version)
        found = self._session.scalar(query)
        if found is None:
            raise self._not_found(ref)
        return with_blocks(found)

    def _whole(self) -> Select[Dataset]:
        return self._mine(select(Dataset).options(undefer(Dataset.columns)))

    def _not_found(self, ref: str) -> DatasetNotFound:
        name = parse_reference(ref).name
        if name == ref:
            return DatasetNotFound(ref, self.names())
        numbers = self._mine(select(Dataset.version)).where(Dataset.name == name)
        newest = self._session.scalars(numbers.order_by(Dataset.version.desc()))
        known = [version_ref(name, number) for number in newest.fetchmany(_SHOWN)]
        return DatasetNotFound(ref, known or self.names())

    def newest_to_extend(self, name: str) -> Dataset:
        """Return the newest version of a name that has not failed.

        If all versions have failed, return the newest of them.
        """
        has_failed = Dataset.status == DatasetStatus.FAILED
        query = self._whole().where(Dataset.name == name)
        order = has_failed.asc(), Dataset.version.desc()
        query = query.options(joinedload(Dataset.lineage)).order_by(*order)
        found = self._session.scalar(query.limit(1))
        if found is None:
            raise DatasetNotFound(name, self.names())
        return with_blocks(found)

    def lock_name(self, name: str) -> None:
        """Let no other transaction add or delete versions of the name meanwhile."""
        take_lock(self._session, f"dataset {name} of {self._workspace}")

    def hold(self, dataset: Dataset, *, alone: bool = False) -> None:
        """Lock a dataset against deletion until the transaction ends.

        Many transactions can hold it, or one `alone`. Raises DatasetNotFound, also if the
        dataset was renamed after it was read.
        """
        same = Dataset.id == dataset.id, Dataset.name == dataset.name
        query = self._mine(select(Dataset.id)).where(*same)
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
        """Store an upload or an append as the next version of its name."""
        dataset.workspace = self._workspace
        self.lock_name(dataset.name)
        self._session.add(dataset)
        self._session.flush()

    def share_blocks(self, dataset: Dataset, parent: Dataset) -> None:
        """Record that a stored version begins with the blocks of its parent."""
        for number, block in enumerate(parent.blocks):
            row = DatasetBlock(dataset_id=dataset.id, number=number, block_id=block.id)
            self._session.add(row)
        self._session.flush()

    def unused_blocks(self, dataset: Dataset) -> list[Dataset]:
        """Return the blocks of a deleted version that no other version has."""
        ids = [block.id for block in dataset.blocks]
        query = select(Dataset).where(Dataset.id.in_(ids), ~has_files())
        return list(self._session.scalars(query))

    def runs_that_need(self, dataset: Dataset) -> list[str]:
        """Return the ids of runs that read this dataset and have not ended."""
        return list(
            self._session.scalars(select(Run.id).where(needs_dataset(dataset.id)))
        )

    def stored_bytes(self) -> int:
        """Return the total size of the stored files in bytes."""
        mine = Dataset.workspace == self._workspace
        query = select(func.sum(Dataset.num_bytes)).where(mine, has_files())
        return int(self._session.scalar(query) or 0)

    def _mine(self, query: Select[*Found]) -> Select[*Found]:
        return query.where(
            Dataset.workspace == self._workspace, Dataset.deleted_at.is_(None)
        )
