"""Files are read only as they were recorded: of that length, with that sha256."""

import hashlib
import hmac

from core.errors import ArtifactDamaged
from core.storage.files import Storage


def read_recorded(
    storage: Storage, key: str, sha256: str, num_bytes: int, what: str
) -> bytes:
    """The bytes of a file; ArtifactDamaged if they are not those that were recorded.

    `what` names the file in the sentence that a user reads.
    """
    try:
        with storage.open(key) as file:
            content = file.read(num_bytes + 1)
    except OSError as error:
        raise ArtifactDamaged(f"{what} is missing ({error.strerror}).") from error
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), sha256):
        raise ArtifactDamaged(
            f"{what} is damaged: its sha256 is not the recorded one. "
            "Other versions still serve; train again or restore the file."
        )
    return content
