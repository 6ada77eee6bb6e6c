"""Read an upload: in the request if it is small, else in a worker under a lease."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from core.database.sessions import Database
from core.datasets.appending import Append
from core.datasets.blocks import block_files
from core.datasets.expected import Expected
from core.datasets.lineages import LineageOf, lineage_of
from core.datasets.maintenance import DatasetMaintenance
from core.datasets.profile import profile
from core.datasets.repeated_rows import repeated_rows
from core.datasets.row_hashes import write_hashes
from core.datasets.table_file import options_of, read_table
from core.datasets.table_warnings import of_kind, to_json
from core.datasets.tables import Dataset, Lineage
from core.errors import FitserveError, StorageUnavailable
from core.settings import Limits, RunTimes
from core.storage import Storage, discard, scratch
from core.threads import PeriodicThread
from fitserve.enums import DatasetStatus, WarningKind
from fitserve.problem_types import ProblemType
from fitserve.specs.parsing import ParsingSpec

log = logging.getLogger(__name__)

_TYPICAL_RATIO = 0.25
"""The typical size of a Parquet table in bytes, for each byte of its CSV."""
_TABLE, _HASHES = "table.parquet", "hashes.npy"


@dataclass(frozen=True)
class Reader:
    """A reader that converts uploaded files to typed tables.

    The first reading imports polars, so that the API starts faster.
    """

    storage: Storage
    limits: Limits

    def read(
        self,
        dataset: Dataset,
        source: Path,
        folder: Path,
        attempt: int,
        find_lineage: LineageOf,
        parent: Dataset | None = None,
    ) -> dict[str, Any]:
        """Read the file at `source`, and store its table and its hashes.

        Args:
            dataset: the dataset that the file becomes.
            source: the file.
            folder: a folder for temporary files.
            attempt: the number of the attempt, for the keys of the stored files.
            find_lineage: returns the lineage of a table by its columns.
            parent: the version to which the rows are appended, with its lineage.

        Returns the values for the dataset's row in the database. Raises InvalidTable, and
        FileNotFoundError if rows of the parent are gone.

        """
        if parent is None:
            values = self._of_upload(dataset.options, source, folder)
        else:
            values = self._of_append(parent, dataset.block_options, source, folder)
        known = None if parent is None else parent.lineage
        lineage = known or find_lineage(values["columns"])
        hashes = write_hashes(folder / _TABLE, lineage.columns, folder / _HASHES)
        if parent is not None:
            values["warnings"] += repeated_rows(hashes, parent, lineage, self.storage)
        values |= to_json(values["warnings"])
        files = self._put(dataset, folder, attempt, lineage)
        return {"status": DatasetStatus.READY, "progress": 1.0, **values, **files}

    def _put(
        self, dataset: Dataset, folder: Path, attempt: int, lineage: Lineage
    ) -> dict[str, str]:
        """Store the table in `folder`, and the hashes of its rows; return their keys."""
        stored = f"datasets/{dataset.id}"
        key = f"{stored}/table-{attempt}.parquet"
        hash_key = f"{stored}/hashes-{attempt}.npy"
        self.storage.put(folder / _HASHES, hash_key)
        self.storage.put(folder / _TABLE, key)
        return {"table_key": key, "hash_key": hash_key, "lineage_id": lineage.id}

    def _of_upload(
        self, given: ParsingSpec, source: Path, folder: Path
    ) -> dict[str, Any]:
        reading = read_table(source, folder, given, self.limits.max_columns)
        return {
            "num_rows": reading.stats[0].rows,
            "columns": profile(folder / _TABLE, reading.columns, reading.stats),
            "parsing": reading.parsing,
            "options": options_of(reading, given),
            "warnings": of_kind(WarningKind.READING, reading.warnings),
        }

    def _of_append(
        self, parent: Dataset, given: ParsingSpec, source: Path, folder: Path
    ) -> dict[str, Any]:
        expected, most = Expected.of(parent), self.limits.max_columns
        given = expected.options_of(given)
        reading = read_table(source, folder, given, most, expected=expected)
        with block_files(parent.blocks, self.storage) as earlier:
            append = Append(parent, given, reading, folder / _TABLE, earlier)
            return {**append.values(), "parsing": reading.parsing}


@dataclass(frozen=True)
class Ingest:
    """A worker's reader of datasets, which holds a lease on each one."""

    database: Database
    reader: Reader
    times: RunTimes
    is_stopping: Callable[[], bool] = bool

    def attempt(self, dataset_id: str) -> None:
        """Claim the dataset and read it; do nothing if it cannot be claimed.

        While the store of files does not answer, this waits: the attempts of a dataset
        are for faults of its file. Raises StorageUnavailable if the worker stops.
        """
        with self.database.write() as session:
            datasets = DatasetMaintenance(session)
            attempt = datasets.claim(dataset_id, self.times.lease_seconds)
            if attempt is None:
                return
            dataset = session.get_one(Dataset, dataset_id)
            parent = datasets.parent_of(dataset)
        log.info("dataset %s: attempt %d", dataset_id, attempt)
        with scratch() as folder:
            renew = partial(self._renew, dataset, attempt, folder)
            seconds = min(1.0, self.times.heartbeat_seconds)
            with PeriodicThread("dataset-lease", seconds, renew).running():
                values = self._read_when_stored(dataset, parent, folder, attempt)
        self._finish(dataset, attempt, values)

    def _read_when_stored(
        self, dataset: Dataset, parent: Dataset | None, folder: Path, attempt: int
    ) -> dict[str, Any]:
        while True:
            try:
                return self._read(dataset, parent, folder, attempt)
            except StorageUnavailable as error:
                if self.is_stopping():
                    raise
                log.warning("dataset %s waits: %s", dataset.id, error)
                time.sleep(self.times.heartbeat_seconds)

    def _read(
        self, dataset: Dataset, parent: Dataset | None, folder: Path, attempt: int
    ) -> dict[str, Any]:
        try:
            with self.reader.storage.local_copy(dataset.content_key) as source:
                find = partial(lineage_of, self.database, dataset)
                return self.reader.read(dataset, source, folder, attempt, find, parent)
        except StorageUnavailable:
            raise
        except FitserveError as error:
            problem = error.problem()
        except Exception as error:  # the user must see why the dataset failed
            log.exception("dataset %s failed", dataset.id)
            problem = ProblemType.READING_FAILED.problem(
                f"Reading stopped with {type(error).__name__}: {error!s:.1000}",
            )
        return {"status": DatasetStatus.FAILED, "error": problem}

    def _finish(self, dataset: Dataset, attempt: int, values: dict[str, Any]) -> None:
        with self.database.write() as session:
            is_ours = DatasetMaintenance(session).update(dataset.id, attempt, **values)
        if not is_ours and "table_key" in values:
            discard(self.reader.storage, [values["table_key"], values["hash_key"]])

    def _renew(self, dataset: Dataset, attempt: int, folder: Path) -> None:
        """Extend the lease, and store the progress."""
        seconds, progress = self.times.lease_seconds, _progress(folder, dataset.num_bytes)
        with self.database.write() as session:
            DatasetMaintenance(session).renew(dataset.id, attempt, seconds, progress)


def _progress(folder: Path, csv_bytes: int) -> float:
    """Estimate the progress by the bytes written; the profile is the last tenth."""
    written = sum(path.stat().st_size for path in folder.glob("*.parquet"))
    return round(min(0.9, 0.9 * written / max(1.0, csv_bytes * _TYPICAL_RATIO)), 3)
