"""Where the files of a run lie, and what is left of them when it has ended.

Keys hold the attempt: a worker that was replaced overwrites nothing of its successor's.
"""

import contextlib
import re

from sqlalchemy.orm import Session

from core.runs.maintenance import RunMaintenance
from core.storage import Storage

_CHECKPOINTS = "checkpoints"
_FILE = re.compile(r"(\d+)-\d+\.npz")


def checkpoint_key(run_id: str, attempt: int, epoch: int) -> str:
    """Where an attempt saves its checkpoint of an epoch."""
    return f"{_CHECKPOINTS}/{run_id}/{attempt}-{epoch}.npz"


def remove_older_checkpoints(
    storage: Storage, run_id: str, attempt: int, kept: set[str]
) -> None:
    """Remove the files of this attempt and of those before, but for `kept`.

    A file that is not a checkpoint is ignored.
    """
    for key in storage.keys(f"{_CHECKPOINTS}/{run_id}"):
        file = _FILE.fullmatch(key.rpartition("/")[2])
        if file and key not in kept and int(file[1]) <= attempt:
            storage.delete(key)


def remove_checkpoints(storage: Storage, run_id: str) -> None:
    """Remove them all: the run has ended. What will not go is left to the sweeper."""
    with contextlib.suppress(OSError):
        for key in storage.keys(f"{_CHECKPOINTS}/{run_id}"):
            storage.delete(key)


def remove_orphans(storage: Storage, session: Session) -> None:
    """Remove the checkpoints of runs that have ended, whoever left them behind."""
    found = {key.split("/")[1] for key in storage.keys(_CHECKPOINTS)}
    if not found:
        return
    for run_id in found - RunMaintenance(session).unended(found):
        remove_checkpoints(storage, run_id)
