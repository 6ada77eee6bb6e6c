"""Prove by test files that a storage can do what the service needs."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from core.database.base import new_id
from core.errors import FitserveError, StorageUnavailable
from core.settings import MIB, Settings, StorageRules
from core.storage import Storage, discard, open_storage, scratch
from core.storage.bucket import Bucket
from fitserve.client.transport import without_none
from ops.doctor.findings import Finding, failed, ok
from ops.doctor.host import check_settings

_PATIENCE = StorageRules(timeout_seconds=10, retry_seconds=0)
_SIZE = 20 * MIB
"""More than two parts of an upload."""
_FIX = (
    "Allow this key to get, put, list and delete objects of the bucket, and correct "
    "FITSERVE_STORAGE_URL, AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY."
)


def examine(home: Path | None) -> list[Finding]:
    """Return the findings; after the first failure, the other checks are left out."""
    try:
        settings = Settings(**without_none({"home": home, "storage": _PATIENCE}))
    except ValidationError as error:
        return [check_settings(error)]
    findings = []
    for finding in StorageChecks(settings).run():
        findings.append(finding)
        if finding.mend:
            break
    return findings


class StorageChecks:
    """The checks of a storage, each of which uses the files of those before it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = f"probes/{new_id('check')}"
        self._content = os.urandom(_SIZE)

    def run(self) -> Iterator[Finding]:
        """Yield the finding of each check, and remove the test files."""
        try:
            storage = open_storage(self._settings)
        except (ValueError, OSError) as error:
            yield failed("storage", f"{error}", "Correct FITSERVE_STORAGE_URL.")
            return
        try:
            for name, check in self._checks(storage).items():
                yield _finding(name, check)
        finally:
            discard(storage, storage_keys(self._folder))

    def _checks(self, storage: Storage) -> dict[str, Callable[[], str]]:
        required = {
            "put": lambda: self._put(storage),
            "get": lambda: self._get(storage),
            "missing": lambda: self._missing(storage),
            "list": lambda: self._list(storage),
            "delete": lambda: self._delete(storage),
        }
        url = self._settings.storage_url or ""
        if not url.startswith("s3:"):
            return required
        bucket = Bucket(url, _PATIENCE)
        return required | {
            "ranges": lambda: _ranges(bucket),
            "conditional puts": lambda: _conditional(bucket),
            "clock": lambda: _clock(bucket),
        }

    def _put(self, storage: Storage) -> str:
        began = time.perf_counter()
        for key in storage_keys(self._folder):
            with scratch() as folder:
                (folder / "file").write_bytes(self._content)
                storage.put(folder / "file", key)
        return f"Files are stored, at {_rate(2, began)}."

    def _get(self, storage: Storage) -> str:
        began = time.perf_counter()
        for key in storage_keys(self._folder):
            with storage.open(key) as file:
                if file.read() != self._content:
                    raise StorageUnavailable("returns other bytes than were stored")
        return f"Files are read as they were stored, at {_rate(2, began)}."

    def _missing(self, storage: Storage) -> str:
        try:
            storage.open(f"{self._folder}/absent").close()
        except FileNotFoundError:
            return "A file that does not exist is reported as missing."
        raise StorageUnavailable("returns a file that was never stored")

    def _list(self, storage: Storage) -> str:
        if list(storage.list(self._folder)) != storage_keys(self._folder):
            raise StorageUnavailable("does not list the files that were stored")
        return "Files are listed as soon as they are stored."

    def _delete(self, storage: Storage) -> str:
        for key in storage_keys(self._folder):
            storage.delete(key)
        if storage.list(self._folder):
            raise StorageUnavailable("lists files that were deleted")
        return "Files are deleted."


def storage_keys(folder: str) -> list[str]:
    """Return the keys of the test files."""
    return [f"{folder}/a", f"{folder}/b"]


def _finding(name: str, check: Callable[[], str]) -> Finding:
    try:
        return ok(name, check())
    except StorageUnavailable as error:
        cause = str(error.__cause__ or "").strip().partition("\n")[0]
        return failed(name, f"{error.reason} {cause}".strip(), _FIX)
    except (OSError, FitserveError) as error:
        return failed(name, str(error), _FIX)


def _ranges(bucket: Bucket) -> str:
    if bucket.has_ranges():
        return "Supported: a download that breaks off continues."
    return "Not supported: a download that breaks off begins again."


def _conditional(bucket: Bucket) -> str:
    is_supported = bucket.has_conditional_puts()
    return f"{'Supported' if is_supported else 'Not supported'}; fitserve needs none."


def _clock(bucket: Bucket) -> str:
    off = abs(time.time() - bucket.now().timestamp())
    return f"{off:.0f} s from the clock of this machine; ages use the clock of the store."


def _rate(files: int, began: float) -> str:
    return f"{files * _SIZE / MIB / (time.perf_counter() - began):,.0f} MiB/s"
