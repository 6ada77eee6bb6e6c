"""Store, read and delete datasets."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database.base import new_id, utc_now
from core.database.clock import now_ms
from core.database.sessions import Database, after_commit
from core.datasets.ingest import Reader
from core.datasets.lineages import lineage_of
from core.datasets.preview import preview_table
from core.datasets.profile import read_slice
from core.datasets.repository import DatasetRepository
from core.datasets.table_file import is_small
from core.datasets.tables import Dataset
from core.datasets.typed_table import table_gone_is_409
from core.errors import DatasetInUse, DatasetNotReady
from core.keys.caller import Caller
from core.keys.quotas import refuse_over_quota
from core.queue import READ, Queue
from core.storage import scratch
from fitserve.enums import DatasetStatus
from fitserve.schemas.datasets import DatasetPreview, RowsRead
from fitserve.specs.parsing import ParsingSpec


@dataclass(frozen=True)
class Upload:
    """A received file; `source` holds its bytes, unpacked if they were packed."""

    source: Path
    digest: str
    name: str
    filename: str | None
    options: ParsingSpec


class DatasetService:
    """The operations on datasets in the database, the storage and the queue."""

    def __init__(self, database: Database, reader: Reader, queue: Queue) -> None:
        self._database = database
        self._reader = reader
        self._storage = reader.storage
        self._queue = queue

    def create(
        self,
        caller: Caller,
        upload: Upload,
        note: Callable[[Session, str], None] | None = None,
    ) -> Dataset:
        """Store an upload as a new dataset in the caller's workspace, and move its file.

        A small file is read at once; a worker reads a large one. `note` is called with
        the dataset's id in the transaction that stores the dataset. Raises InvalidTable
        or QuotaExceeded, and then stores nothing.
        """
        dataset = _unread(upload, caller.workspace)
        try:
            if is_small(upload.source, self._reader.limits.max_inline_bytes):
                self._read(dataset, upload.source)
            self._storage.put(upload.source, dataset.content_key)
            with self._database.write() as session:
                refuse_over_quota(session, caller, dataset.num_bytes)
                DatasetRepository(session, caller.workspace).add(dataset)
                if note is not None:
                    note(session, dataset.id)
                if dataset.status == DatasetStatus.PROCESSING:
                    dataset.sent_at = _just_now(session)
                    after_commit(session, partial(self._queue.send, READ, dataset.id))
        except BaseException:
            self._forget(dataset)()
            raise
        return dataset

    def _read(self, dataset: Dataset, source: Path) -> None:
        with scratch() as folder:
            lineage = partial(lineage_of, self._database, dataset)
            values = self._reader.read(dataset, source, folder, 0, lineage)
        for name, value in values.items():
            setattr(dataset, name, value)

    def preview(self, upload: Upload) -> DatasetPreview:
        """Read the beginning of an upload, and store nothing. Raises InvalidTable."""
        limits = self._reader.limits
        with scratch() as folder:
            return preview_table(upload.source, folder, upload.options, limits)

    @table_gone_is_409()
    def rows(self, dataset: Dataset, offset: int, limit: int) -> RowsRead:
        """Return rows of the typed table. Raise DatasetNotReady before it is written."""
        with self._storage.local_copy(ready(dataset).table_key) as path:
            columns, data = read_slice(path, offset, limit)
        return RowsRead(columns=columns, data=data, offset=offset, total=dataset.num_rows)

    def delete(self, session: Session, workspace: str, ref: str) -> None:
        """Delete a dataset and its files; its row stays for the runs that name it.

        Raises DatasetNotFound, and DatasetInUse while a run still needs it.
        """
        repository = DatasetRepository(session, workspace)
        dataset = repository.get(ref)
        repository.hold(dataset, alone=True)
        if needed_by := repository.runs_that_need(dataset):
            raise DatasetInUse(
                f"{len(needed_by)} run(s) still read this dataset, such as "
                f"{needed_by[0]}; cancel them or wait until they have ended."
            )
        dataset.deleted_at = utc_now()
        after_commit(session, self._forget(dataset))

    def _forget(self, dataset: Dataset) -> Callable[[], None]:
        def delete() -> None:
            for key in reversed(dataset.file_keys):
                self._storage.delete(key)

        return delete


def _unread(upload: Upload, workspace: str) -> Dataset:
    dataset_id = new_id("dataset")
    return Dataset(
        id=dataset_id,
        workspace=workspace,
        name=upload.name,
        status=DatasetStatus.PROCESSING,
        progress=0.0,
        options=upload.options,
        attempt=0,
        digest=upload.digest,
        filename=upload.filename,
        num_bytes=upload.source.stat().st_size,
        num_rows=0,
        columns=[],
        parsing={},
        warnings=[],
        content_key=f"datasets/{dataset_id}/content.csv",
        table_key="",
        hash_key="",
    )


def _just_now(session: Session) -> int:
    now = session.scalar(select(now_ms()))
    return int(now or 0)


def ready(dataset: Dataset) -> Dataset:
    """Return the dataset; raise DatasetNotReady, with the reason, if it is not usable."""
    if dataset.status == DatasetStatus.READY:
        return dataset
    if dataset.status == DatasetStatus.FAILED:
        why = dataset.error.detail if dataset.error else ""
        raise DatasetNotReady(
            f"The dataset {dataset.name!r} could not be read: {why} Upload it again."
        )
    raise DatasetNotReady(
        f"The dataset {dataset.name!r} is still being read ({dataset.progress:.0%}); "
        f"wait for it with GET /v1/datasets/{dataset.id}?wait=30."
    )
