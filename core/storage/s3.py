"""The storage in a bucket of an S3 store, with a cache on this machine."""

import contextlib
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from core.settings import Settings, StorageRules
from core.storage.bucket import Bucket, Content
from core.storage.cache import FileCache
from core.storage.download import CHUNK, Download, ObjectStream, save
from core.storage.port import check_key, is_key, no_such_file

_READ_AGAIN = "datasets/"
"""Files below this folder are read soon after they were stored, so they are cached."""

_AT_ONCE = StorageRules(timeout_seconds=0.6, retry_seconds=0)


class S3Storage:
    """A storage whose keys are the names of objects below a prefix of a bucket."""

    def __init__(self, bucket: Bucket, cache: FileCache, pinged: Bucket) -> None:
        self._bucket = bucket
        self._cache = cache
        self._pinged = pinged

    @classmethod
    def of(cls, settings: Settings) -> "S3Storage":
        """Return the storage that the settings name."""
        url = settings.storage_url or ""
        cache = FileCache(settings.files_dir / "cache", settings.storage.cache_bytes)
        return cls(Bucket(url, settings.storage), cache, Bucket(url, _AT_ONCE))

    def put(self, file: Path, key: str) -> None:
        content = self._bucket.put(file, check_key(key))
        if key.startswith(_READ_AGAIN):
            self._cache.adopt(_name_of(key, content), file)

    def open(self, key: str) -> BinaryIO:
        stream = ObjectStream(Download(self._bucket, check_key(key)))
        return cast(BinaryIO, io.BufferedReader(stream, CHUNK))

    @contextlib.contextmanager
    def local_copy(self, key: str, sha256: str | None = None) -> Iterator[Path]:
        check_key(key)
        if sha256 is not None:
            name, is_whole = f"sha256-{sha256}", partial(_has, sha256)
            fetch = partial(self._fetch, key, None)
        else:
            content = self._bucket.head(key)
            name, is_whole = _name_of(key, content), partial(_is_long, content.size)
            fetch = partial(self._fetch, key, content)
        with self._cache.copy(name, fetch, is_whole) as path:
            yield path

    def delete(self, key: str) -> None:
        self._bucket.delete(check_key(key))

    def list(self, prefix: str, older_than_seconds: float = 0.0) -> Sequence[str]:
        found = self._bucket.list(prefix)
        if older_than_seconds:
            until = self._bucket.now() - timedelta(seconds=older_than_seconds)
            found = ((key, at) for key, at in found if at <= until)
        return sorted(key for key, _ in found if is_key(key))

    def sizes(self, prefix: str) -> Mapping[str, int]:
        return {key: size for key, size in self._bucket.sizes(prefix) if is_key(key)}

    def check(self) -> str:
        self._pinged.ping()
        return "The store of files answers."

    def _fetch(self, key: str, content: Content | None, path: Path) -> None:
        download = Download(self._bucket, key)
        if content not in (None, download.content):  # it was replaced just now
            raise no_such_file(key)
        save(download, path)


def _name_of(key: str, content: Content) -> str:
    """Return the name of the copy of this content of an object."""
    text = f"{key} {content.size} {content.tag}"
    return f"tag-{hashlib.sha256(text.encode()).hexdigest()}"


def _has(sha256: str, path: Path) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _is_long(size: int, path: Path) -> bool:
    return path.stat().st_size == size
