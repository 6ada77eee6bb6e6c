"""Delete files that no row of the database names any more."""

import logging
from collections.abc import Iterable

from core.errors import StorageUnavailable
from core.storage.port import Storage

log = logging.getLogger(__name__)


def discard(storage: Storage, keys: Iterable[str]) -> None:
    """Delete files that nothing needs.

    If the storage fails, they remain, and the janitor deletes them as orphans.
    """
    for key in keys:
        try:
            storage.delete(key)
        except (OSError, StorageUnavailable) as error:
            log.warning("%s was not deleted; the janitor will do it: %s", key, error)
            return
