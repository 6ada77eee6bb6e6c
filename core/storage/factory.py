"""Choose the implementation of the storage by the URL in the settings."""

from collections.abc import Callable
from urllib.parse import urlsplit

from core.settings import Settings
from core.storage.local import LocalStorage
from core.storage.port import Storage
from core.storage.s3 import S3Storage
from core.storage.scratch import use_scratch_in

BACKENDS: dict[str, Callable[[Settings], Storage]] = {
    "file": lambda settings: LocalStorage(settings.files_dir),
    "s3": S3Storage.of,
}
"""The implementations, by the scheme of their URLs."""


def open_storage(settings: Settings) -> Storage:
    """Return the storage that the settings name, and set this process's scratch folder.

    Raises ValueError if no implementation has the scheme of the URL, OSError if the
    folder of scratch or of files cannot be used.
    """
    scheme = check_scheme(settings)
    use_scratch_in(settings.files_dir / "scratch")
    return BACKENDS[scheme](settings)


def check_scheme(settings: Settings) -> str:
    """Return the scheme of the storage. Raises ValueError if none implements it."""
    scheme = urlsplit(settings.storage_url or "file:").scheme
    if scheme not in BACKENDS:
        raise ValueError(
            f"FITSERVE_STORAGE_URL has the scheme {scheme!r}; expected one of "
            f"{', '.join(BACKENDS)}, as in file:///srv/fitserve or s3://bucket/prefix."
        )
    return scheme
