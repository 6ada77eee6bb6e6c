"""Name the checkpoint files of runs, and remove those that no run needs.

Keys contain the attempt, so that a replaced worker overwrites no file of its successor.
"""

import logging
import re

from sqlalchemy.orm import Session

from core.errors import StorageUnavailable
from core.runs.maintenance import RunMaintenance
from core.storage import Storage, discard

log = logging.getLogger(__name__)

_CHECKPOINTS = "checkpoints"
_FILE = re.compile(r"(\d+)-\d+\.npz")


def checkpoint_key(run_id: str, attempt: int, epoch: int) -> str:
    """Return the key of the checkpoint of an epoch."""
    return f"{_CHECKPOINTS}/{run_id}/{attempt}-{epoch}.npz"


def remove_older_checkpoints(
    storage: Storage, run_id: str, attempt: int, kept: set[str]
) -> None:
    """Remove the checkpoints of this attempt and of earlier ones, except `kept`.

    A file that is not a checkpoint is ignored.
    """
    for key in storage.list(f"{_CHECKPOINTS}/{run_id}"):
        file = _FILE.fullmatch(key.rpartition("/")[2])
        if file and key not in kept and int(file[1]) <= attempt:
            storage.delete(key)


def remove_checkpoints(storage: Storage, run_id: str) -> None:
    """Remove all checkpoints of a run that has ended.

    If the storage fails, they remain, and the janitor removes them later.
    """
    try:
        keys = storage.list(f"{_CHECKPOINTS}/{run_id}")
    except (OSError, StorageUnavailable) as error:
        log.warning("run %s: its checkpoints were not removed: %s", run_id, error)
        return
    discard(storage, keys)


def remove_orphans(storage: Storage, session: Session) -> None:
    """Remove the checkpoints of all runs that have ended."""
    found = {key.split("/")[1] for key in storage.list(_CHECKPOINTS)}
    if not found:
        return
    for run_id in found - RunMaintenance(session).unended(found):
        remove_checkpoints(storage, run_id)
