"""Save and load checkpoints: files of arrays, loaded only if their hash matches."""

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
    """The file is missing, damaged or of another network; the text says which."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a fit at the end of an epoch, `seconds` after the fit began."""

    epoch: int
    seconds: float
    arrays: Mapping[str, NDArray[Any]]


def save(snapshot: Snapshot, storage: Storage, key: str) -> SavedCheckpoint:
    """Write and publish a snapshot. It counts once the lease has recorded the result."""
    with storage.scratch() as folder:
        path = folder / "checkpoint.npz"
        np.savez(path, allow_pickle=False, **snapshot.arrays)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        num_bytes = path.stat().st_size
        storage.publish(path, key)
    return SavedCheckpoint(snapshot.epoch, snapshot.seconds, key, digest, num_bytes)


def load(saved: SavedCheckpoint, storage: Storage) -> Snapshot:
    """Return the saved snapshot; raise CheckpointUseless if its file has changed."""
    try:
        content = read_recorded(
            storage, saved.key, saved.sha256, saved.num_bytes, "its file"
        )
    except ArtifactDamaged as error:
        raise CheckpointUseless(str(error)) from error
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Snapshot(saved.epoch, saved.seconds, dict(arrays))
