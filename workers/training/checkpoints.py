"""A checkpoint as a file: arrays and nothing else, loaded only if the hash is right."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactDamaged
from core.runs.leases import SavedCheckpoint
from core.storage import Storage
from core.storage.recorded import read_recorded


class CheckpointUseless(Exception):
    """The file is gone, damaged, or of another network; its text says which."""


@dataclass(frozen=True)
class Snapshot:
    """Where a fit stood at the end of an epoch, `seconds` after it had begun."""

    epoch: int
    seconds: float
    arrays: Mapping[str, NDArray[Any]]


def save(snapshot: Snapshot, storage: Storage, key: str) -> SavedCheckpoint:
    """Write and publish it; it counts once the lease has recorded what is returned."""
    with storage.scratch() as folder:
        path = folder / "checkpoint.npz"
        np.savez(path, allow_pickle=False, **snapshot.arrays)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        num_bytes = path.stat().st_size
        storage.publish(path, key)
    return SavedCheckpoint(snapshot.epoch, snapshot.seconds, key, digest, num_bytes)


def load(saved: SavedCheckpoint, storage: Storage) -> Snapshot:
    """The checkpoint as it was saved; CheckpointUseless if the file is another."""
    try:
        content = read_recorded(
            storage, saved.key, saved.sha256, saved.num_bytes, "its file"
        )
    except ArtifactDamaged as error:
        raise CheckpointUseless(str(error)) from error
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Snapshot(saved.epoch, saved.seconds, dict(arrays))
