"""Files that a process left behind which died between writing them and recording them.

A dataset that has been read gains no file any more: what the database does not name is
nobody's. An ended run may gain its baselines yet, and of an upload without a row nobody
knows whether its request still works on it; an hour says that neither is so.
"""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy.orm import Session

from core.datasets.maintenance import DatasetMaintenance
from core.models.repository import artifact_keys
from core.runs.maintenance import RunMaintenance
from core.storage import Storage

STALE_SECONDS = 3600.0
_AT_A_TIME = 500
"""Ids in one question: databases bound the parameters of a statement."""


def remove_orphan_files(
    storage: Storage, session: Session, older_than_seconds: float = STALE_SECONDS
) -> list[str]:
    """Remove such files, and scratch folders as old; returns the keys that went."""
    storage.sweep(older_than_seconds)
    gone = [
        *_of_runs(storage, session, older_than_seconds),
        *_of_datasets(storage, session),
        *_without_row(storage, session, older_than_seconds),
    ]
    for key in gone:
        storage.delete(key)
    return gone


def _of_runs(storage: Storage, session: Session, seconds: float) -> Iterator[str]:
    for keys in _by_id(storage.keys("runs", older_than_seconds=seconds)):
        ended = RunMaintenance(session).ended(keys)
        recorded = artifact_keys(session, ended)
        yield from (key for i in ended for key in keys[i] if key not in recorded)


def _of_datasets(storage: Storage, session: Session) -> Iterator[str]:
    for keys in _by_id(storage.keys("datasets")):
        kept = DatasetMaintenance(session).kept_keys(keys)
        yield from (k for i in kept for k in keys[i] if k not in kept[i])


def _without_row(storage: Storage, session: Session, seconds: float) -> Iterator[str]:
    for keys in _by_id(storage.keys("datasets", older_than_seconds=seconds)):
        known = DatasetMaintenance(session).known(keys)
        yield from (key for i in keys.keys() - known for key in keys[i])


def _by_id(keys: list[str]) -> Iterator[dict[str, list[str]]]:
    """Keys by the id in them, some ids at a time; listed before anything is asked."""
    found = defaultdict(list)
    for key in keys:
        found[key.split("/")[1]].append(key)
    ids = list(found)
    for start in range(0, len(ids), _AT_A_TIME):
        yield {i: found[i] for i in ids[start : start + _AT_A_TIME]}
