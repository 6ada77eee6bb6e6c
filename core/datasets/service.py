"""Store, read and delete datasets."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database.base import new_id
from core.database.clock import now_ms
from core.database.sessions import Database, after_commit
from core.datasets.blocks import block_files, scan_files
from core.datasets.deletion import delete_files
from core.datasets.ingest import Reader
from core.datasets.lineages import lineage_of
from core.datasets.preview import preview_table
from core.datasets.profile import slice_rows
from core.datasets.repository import DatasetRepository
from core.datasets.table_file import is_small
from core.datasets.tables import Dataset
from core.datasets.typed_table import table_gone_is_409
from core.errors import DatasetNotReady
from core.keys.caller import Caller
from core.keys.quotas import refuse_over_quota
from core.queue import READ, Queue
from core.storage import scratch
from fitserve.enums import DatasetStatus
from fitserve.names import version_ref
from fitserve.schemas.datasets import DatasetPreview, RowsRead
from fitserve.specs.parsing import ParsingSpec

_MOST_TRIES = 20
"""How often an append is read, if other versions are added meanwhile."""

Note = Callable[[Session, str], None]
"""A function that gets the id of a new dataset in the transaction that stores it."""


@dataclass(frozen=True)
class Upload:
    """A received file; `source` holds its bytes, unpacked if they were packed."""

    source: Path
    digest: str
    name: str
    filename: str | None
    options: ParsingSpec


class DatasetService:
    """The operations on datasets, in the database, the storage and the queue."""

    def __init__(self, database: Database, reader: Reader, queue: Queue) -> None:
        self._database = database
        self._reader = reader
        self._storage = reader.storage
        self._queue = queue

    def create(self, caller: Caller, upload: Upload, note: Note | None = None) -> Dataset:
        """Store an upload as a new dataset in the caller's workspace, and move its file.

        A small file is read at once; a worker reads a large one. Raises InvalidTable or
        QuotaExceeded, and then stores nothing.
        """
        dataset = _unread(upload, caller.workspace)
        try:
            if is_small(upload.source, self._reader.limits.max_inline_bytes):
                self._read(dataset, upload.source)
            self._storage.put(upload.source, dataset.content_key)
            with self._database.write() as session:
                refuse_over_quota(session, caller, dataset.num_bytes)
                datasets = DatasetRepository(session, caller.workspace)
                self._add(session, datasets, dataset, note)
        except BaseException:
            delete_files(self._storage, dataset)
            raise
        return dataset

    @table_gone_is_409()
    def append(self, caller: Caller, upload: Upload, note: Note | None = None) -> Dataset:
        """Store rows as the next version of the dataset `upload.name`, and move the file.

        The new version begins with the rows of the newest one. If another version is
        added meanwhile, the rows are read again. Raises DatasetNotFound, DatasetNotReady
        while the newest version is being read, InvalidTable and QuotaExceeded, and then
        stores nothing.
        """
        dataset = _unread(upload, caller.workspace)
        is_small_file = is_small(upload.source, self._reader.limits.max_inline_bytes)
        self._to_extend(caller, upload.name)  # a refusal comes before the file is moved
        try:
            self._storage.put(upload.source, dataset.content_key)
            for _ in range(_MOST_TRIES):
                parent = self._to_extend(caller, upload.name)
                _extend(dataset, parent, upload.options)
                is_quick = is_small_file and self._is_small_table(dataset, parent)
                if is_quick and not self._read_append(caller, dataset, parent):
                    continue
                if self._add_append(caller, dataset, parent, note):
                    return dataset
            _give_up(upload.name)
        except BaseException:
            delete_files(self._storage, dataset)
            raise

    def _to_extend(self, caller: Caller, name: str) -> Dataset:
        """Return the version that an append extends, with its blocks of rows."""
        with self._database.read() as session:
            datasets = DatasetRepository(session, caller.workspace)
            return ready(datasets.newest_to_extend(name))

    def _is_small_table(self, dataset: Dataset, parent: Dataset) -> bool:
        """Return whether all files of the new version are small enough for a request."""
        size = sum(block.num_bytes for block in [*parent.blocks, dataset])
        return size <= self._reader.limits.max_inline_bytes

    def _read_append(self, caller: Caller, dataset: Dataset, parent: Dataset) -> bool:
        """Read the rows of an append. Return False if its parent was deleted."""
        try:
            with self._storage.local_copy(dataset.content_key) as source:
                self._read(dataset, source, parent)
        except FileNotFoundError:
            if self._to_extend(caller, dataset.name).id == parent.id:
                raise
            return False
        return True

    def _add_append(
        self,
        caller: Caller,
        dataset: Dataset,
        parent: Dataset,
        note: Note | None,
    ) -> bool:
        """Store a version. Return False if its parent is no longer the newest one."""
        with self._database.write() as session:
            refuse_over_quota(session, caller, dataset.num_bytes)
            datasets = DatasetRepository(session, caller.workspace)
            datasets.lock_name(dataset.name)
            if datasets.newest_to_extend(dataset.name).id != parent.id:
                return False
            self._add(session, datasets, dataset, note)
            datasets.share_blocks(dataset, parent)
        return True

    def _add(
        self,
        session: Session,
        datasets: DatasetRepository,
        dataset: Dataset,
        note: Note | None,
    ) -> None:
        datasets.add(dataset)
        if note is not None:
            note(session, dataset.id)
        if dataset.status == DatasetStatus.PROCESSING:
            dataset.sent_at = _just_now(session)
            after_commit(session, partial(self._queue.send, READ, dataset.id))

    def _read(
        self, dataset: Dataset, source: Path, parent: Dataset | None = None
    ) -> None:
        with scratch() as folder:
            find_lineage = partial(lineage_of, self._database, dataset)
            values = self._reader.read(dataset, source, folder, 0, find_lineage, parent)
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
        with block_files(ready(dataset).blocks, self._storage) as paths:
            columns, data = slice_rows(scan_files(paths), offset, limit)
        return RowsRead(columns=columns, data=data, offset=offset, total=dataset.num_rows)


def _unread(upload: Upload, workspace: str) -> Dataset:
    """Return a dataset for an upload that is still to be read."""
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


def _extend(dataset: Dataset, parent: Dataset, given: ParsingSpec) -> None:
    """Make a dataset an append to its parent, which is still to be read."""
    dataset.parent_id = parent.id
    dataset.options = parent.options
    dataset.file_options = given
    dataset.status, dataset.progress = DatasetStatus.PROCESSING, 0.0
    dataset.num_rows = dataset.num_added = 0
    dataset.columns, dataset.parsing = [], {}
    dataset.warnings, dataset.warning_kinds = [], []


def _give_up(name: str) -> NoReturn:
    raise DatasetNotReady(
        f"The dataset {name!r} got {_MOST_TRIES} other versions while these rows were "
        "read; nothing was stored. Send the rows again."
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
        todo = "Upload it again."
        if dataset.parent_id is not None:
            failed = version_ref(dataset.name, dataset.version)
            todo = f"Delete {failed}, and append the rows again."
        raise DatasetNotReady(
            f"The dataset {dataset.name!r} could not be read: {why} {todo}"
        )
    earlier = ""
    if dataset.parent_id is not None:
        earlier = f", or name an earlier version of GET /v1/datasets?name={dataset.name}"
    raise DatasetNotReady(
        f"The dataset {dataset.name!r} is still being read ({dataset.progress:.0%}); "
        f"wait for it with GET /v1/datasets/{dataset.id}?wait=30{earlier}."
    )
