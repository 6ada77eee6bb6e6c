"""Store files whose length and sha256 the database records, and check them on reading."""

import hashlib
import hmac
from pathlib import Path
from typing import TypedDict

from core.errors import ArtifactDamaged
from core.storage.port import Storage


class Recorded(TypedDict):
    """The key of a stored file, and the hash and length that it must have."""

    key: str
    sha256: str
    num_bytes: int


def put_recorded(storage: Storage, file: Path, key: str) -> Recorded:
    """Store a file; return the values that the database must record."""
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    num_bytes = file.stat().st_size
    storage.put(file, key)
    return Recorded(key=key, sha256=sha256, num_bytes=num_bytes)


def read_recorded(
    storage: Storage, key: str, sha256: str, num_bytes: int, what: str
) -> bytes:
    """Return the bytes of a file; raise ArtifactDamaged if they are not as recorded.

    `what` names the file in the message to the user.
    """
    try:
        with storage.local_copy(key, sha256) as path, path.open("rb") as file:
            content = file.read(num_bytes + 1)
    except OSError as error:
        raise unreadable(what, error) from error
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), sha256):
        raise ArtifactDamaged(
            f"{what} is damaged: its sha256 differs from the recorded one. "
            "Other versions can still be used; train again or restore the file."
        )
    return content


def unreadable(what: str, error: OSError) -> ArtifactDamaged:
    """Return the error for a recorded file that cannot be read."""
    return ArtifactDamaged(f"{what} is missing ({error.strerror or error}).")
