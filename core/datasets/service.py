"""What can be done with datasets: store, read, delete.

polars is imported when a table is first touched, so that the API is ready sooner.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from core.database.base import new_id, utc_now
from core.database.sessions import Database, after_commit
from core.datasets.repository import DatasetRepository
from core.datasets.tables import Dataset
from core.errors import DatasetInUse
from core.settings import Limits
from core.storage import Storage
from fitserve.schemas.datasets import RowsRead


class DatasetService:
    """Datasets over a database and a storage."""

    def __init__(self, database: Database, storage: Storage, limits: Limits) -> None:
        self._database = database
        self._storage = storage
        self._limits = limits

    def create(self, source: Path, name: str, filename: str | None) -> Dataset:
        """Store the CSV at `source`, which is moved away, as a new dataset.

        Raises InvalidTable; nothing is kept then.
        """
        from core.datasets.profile import profile  # noqa: PLC0415  imports polars
        from core.datasets.reading import read_csv  # noqa: PLC0415  imports polars

        dataset_id = new_id("dataset")
        with self._storage.scratch() as folder:
            table = folder / "table.parquet"
            facts = read_csv(source, table, self._limits.max_columns)
            num_rows, columns = profile(table, facts)
            dataset = Dataset(
                id=dataset_id,
                name=name,
                digest="sha256:" + _sha256(source),
                filename=filename,
                num_bytes=source.stat().st_size,
                num_rows=num_rows,
                columns=[column.model_dump(mode="json") for column in columns],
                parsing={"delimiter": ",", "header": True, "encoding": "utf-8"},
                warnings=[],
                content_key=f"datasets/{dataset_id}/content.csv",
                table_key=f"datasets/{dataset_id}/table.parquet",
            )
            self._storage.publish(source, dataset.content_key)
            self._storage.publish(table, dataset.table_key)
        self._record(dataset)
        return dataset

    def rows(self, dataset: Dataset, offset: int, limit: int) -> RowsRead:
        """A slice of the typed table."""
        from core.datasets.profile import read_slice  # noqa: PLC0415  imports polars

        path = self._storage.local_path(dataset.table_key)
        columns, data = read_slice(path, offset, limit)
        return RowsRead(columns=columns, data=data, offset=offset, total=dataset.num_rows)

    def content(self, dataset: Dataset) -> BinaryIO:
        """The bytes as uploaded."""
        return self._storage.open(dataset.content_key)

    def delete(self, session: Session, ref: str) -> None:
        """Delete a dataset and its files; its row stays for the runs that name it.

        Raises DatasetNotFound, and DatasetInUse while a run still needs it.
        """
        repository = DatasetRepository(session)
        dataset = repository.get(ref)
        if needed_by := repository.runs_that_need(dataset):
            raise DatasetInUse(
                f"{len(needed_by)} run(s) still read this dataset, such as "
                f"{needed_by[0]}; cancel them or wait until they have ended."
            )
        dataset.deleted_at = utc_now()
        after_commit(session, self._forget(dataset.content_key, dataset.table_key))

    def _record(self, dataset: Dataset) -> None:
        try:
            with self._database.write() as session:
                DatasetRepository(session).add(dataset)
        except BaseException:
            self._forget(dataset.content_key, dataset.table_key)()
            raise

    def _forget(self, *keys: str) -> Callable[[], None]:
        def delete() -> None:
            for key in keys:
                self._storage.delete(key)

        return delete


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def column_of(dataset: Dataset, name: str) -> dict[str, Any] | None:
    """The stored profile of a column, or None if there is no such column."""
    return next((c for c in dataset.columns if c["name"] == name), None)
