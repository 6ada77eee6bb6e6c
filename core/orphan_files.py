"""Remove stored files whose process died before it recorded them in the database.

A dataset gets no further files after it has been read, so each of its unrecorded files is
an orphan. A run that has ended may still get its baselines, and an upload without a row
may still be in progress. The unrecorded files of both are orphans after a day, because
S3 dates a large file from the start of its upload, which may take hours. The files of a
run without a row, which was deleted, are orphans at the same age.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from core.datasets.maintenance import DatasetMaintenance
from core.models.repository import artifact_keys
from core.runs.maintenance import RunMaintenance
from core.storage import Storage
from core.storage.scratch import sweep_scratch

SCRATCH_SECONDS = 3_600.0
"""The age of a scratch folder that no process holds: a process that does renews it."""
_ORPHAN_SECONDS = 86_400.0
_AT_A_TIME = 500
"""The number of ids in one query: databases limit the parameters of a statement."""


def remove_orphan_files(
    storage: Storage, session: Session, older_than_seconds: float = _ORPHAN_SECONDS
) -> list[str]:
    """Remove orphan files and old scratch folders; return the keys of the files."""
    sweep_scratch(SCRATCH_SECONDS)
    orphans = [
        *_of_runs(storage, session, older_than_seconds),
        *_of_datasets(storage, session),
        *_without_row(storage, session, older_than_seconds),
    ]
    for key in orphans:
        storage.delete(key)
    return orphans


def _of_runs(storage: Storage, session: Session, seconds: float) -> Iterator[str]:
    for keys in _by_id(storage.list("runs", older_than_seconds=seconds)):
        over = keys.keys() - RunMaintenance(session).unended(keys)  # or without a row
        recorded = artifact_keys(session, over)
        yield from (key for i in over for key in keys[i] if key not in recorded)


def _of_datasets(storage: Storage, session: Session) -> Iterator[str]:
    for keys in _by_id(storage.list("datasets")):
        kept = DatasetMaintenance(session).kept_keys(keys)
        yield from (k for i in kept for k in keys[i] if k not in kept[i])


def _without_row(storage: Storage, session: Session, seconds: float) -> Iterator[str]:
    for keys in _by_id(storage.list("datasets", older_than_seconds=seconds)):
        known = DatasetMaintenance(session).known(keys)
        yield from (key for i in keys.keys() - known for key in keys[i])


def _by_id(keys: Sequence[str]) -> Iterator[dict[str, list[str]]]:
    """Yield keys grouped by the id in them, `_AT_A_TIME` ids at a time."""
    found = defaultdict(list)
    for key in keys:
        found[key.split("/")[1]].append(key)
    ids = list(found)
    for start in range(0, len(ids), _AT_A_TIME):
        yield {i: found[i] for i in ids[start : start + _AT_A_TIME]}
