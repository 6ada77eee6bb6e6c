"""Store checkpoints as files of arrays, and load them if their hash matches."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactDamaged
from core.runs.leases import SavedCheckpoint
from core.storage import Storage, scratch
from core.storage.recorded import put_recorded, read_recorded


class CheckpointUseless(Exception):
    """The checkpoint is missing, damaged, or of another network or release."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a fit at the end of an epoch, `seconds` after it began."""

    epoch: int
    seconds: float
    arrays: Mapping[str, NDArray[Any]]


def save(snapshot: Snapshot, storage: Storage, key: str) -> SavedCheckpoint:
    """Store a snapshot. It is used only after the lease has recorded the result."""
    with scratch() as folder:
        path = folder / "checkpoint.npz"
        np.savez(path, allow_pickle=False, **snapshot.arrays)
        recorded = put_recorded(storage, path, key)
    return SavedCheckpoint(snapshot.epoch, snapshot.seconds, **recorded)


def load(saved: SavedCheckpoint, storage: Storage) -> Snapshot:
    """Return a stored snapshot. Raise CheckpointUseless if its hash does not match."""
    try:
        content = read_recorded(
            storage, saved.key, saved.sha256, saved.num_bytes, "its file"
        )
    except ArtifactDamaged as error:
        raise CheckpointUseless(str(error)) from error
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Snapshot(saved.epoch, saved.seconds, dict(arrays))
