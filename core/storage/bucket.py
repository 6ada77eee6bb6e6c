"""Make requests to an S3 bucket by obstore, and convert its errors.

obstore repeats a request after an answer 5xx, a timeout or a broken connection.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from core.database.base import new_id
from core.errors import StorageUnavailable
from core.lazy import LazyModule
from core.settings import MIB, StorageRules
from core.storage.port import no_such_file

if TYPE_CHECKING:
    import obstore
    from obstore import GetResult, ObjectMeta
    from obstore.store import S3Store
else:  # only a service with a bucket loads it
    obstore = LazyModule("obstore")

log = logging.getLogger(__name__)

_PART = 8 * MIB
"""The size of a part of an upload; an upload has at most 10,000 parts."""
_PARTS_AT_ONCE = 2
_SLOWEST_UPLOAD = 256 * 1024
"""Bytes per second. The timeout of a request includes the time to send its body."""
_UNLIMITED = timedelta(days=7)
_MANY = 1_000
_NO_RANGES = "non-partial"
"""In obstore's error about a store that answers a range request with the whole object."""
_AWAY_SECONDS = 5.0
"""How long after a failure requests are not repeated."""
_PROBE = "probes"
"""The folder of objects that only test the store."""


class Content(NamedTuple):
    """The length and the tag of an object, which change when the object is replaced."""

    size: int
    tag: str

    @classmethod
    def of(cls, meta: ObjectMeta) -> Content:
        """Return the content that an answer describes."""
        written = meta["last_modified"].timestamp()
        return cls(meta["size"], f"{meta['e_tag']} {written:.0f}")


class Bucket:
    """The objects below a prefix of a bucket.

    Args:
        url: the bucket and the prefix, such as `s3://bucket/prefix`.
        rules: how long a request may take and is repeated.

    """

    def __init__(self, url: str, rules: StorageRules) -> None:
        self.seconds = rules.retry_seconds
        self._patient = _store_of(url, rules)
        self._hasty = _store_of(url, rules.model_copy(update={"retry_seconds": 0}))
        sending = rules.timeout_seconds + _PARTS_AT_ONCE * _PART / _SLOWEST_UPLOAD
        self._large = _store_of(
            url, rules.model_copy(update={"timeout_seconds": sending})
        )
        self._away_until = 0.0

    @property
    def _store(self) -> S3Store:
        """Return a client that repeats requests, unless the store was away just now.

        Otherwise each request would occupy a thread for so long.
        """
        return self._hasty if self._was_away() else self._patient

    def _was_away(self) -> bool:
        return time.monotonic() < self._away_until

    def put(self, file: Path, key: str) -> Content:
        """Store a file; it becomes visible only when the store has all of it."""
        size = file.stat().st_size
        for is_last in (False, True):
            try:
                self._upload(file, key, size)
                content = self.head(key)
            except FileNotFoundError as error:
                # the answer to the end of an upload in parts was lost, and its
                # repetition found no such upload
                if is_last:
                    raise StorageUnavailable("lost an upload") from error
            else:
                break
        if content.size != size:
            raise StorageUnavailable(f"has {content.size:,} of {size:,} bytes of a file")
        return content

    def _upload(self, file: Path, key: str, size: int) -> None:
        is_large = size > _SLOWEST_UPLOAD
        if is_large and self._was_away():
            self.ping()
        with self._asked(key):
            obstore.put(
                self._large if is_large else self._store,
                key,
                file,
                chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def head(self, key: str) -> Content:
        """Return the content of an object; raise FileNotFoundError if it is absent."""
        return Content.of(self._meta(key))

    def _meta(self, key: str) -> ObjectMeta:
        try:
            with self._asked(key):
                return obstore.head(self._store, key)
        except FileNotFoundError:  # this answer does not say whether there is a bucket
            return self.get(key).meta

    def get(self, key: str, **options: Any) -> GetResult:
        """Return the object; raise FileNotFoundError if it is absent."""
        with self._asked(key):
            return obstore.get(self._store, key, options=options)  # type: ignore[arg-type]

    def delete(self, key: str) -> None:
        """Delete the object, if it exists."""
        with contextlib.suppress(FileNotFoundError), self._asked(key):
            obstore.delete(self._store, key)

    def list(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Yield the key of each object below a folder, and when it was written."""
        for meta in self._listed(prefix):
            yield meta["path"], meta["last_modified"]

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield the key and the size in bytes of each object below a folder."""
        for meta in self._listed(prefix):
            yield meta["path"], meta["size"]

    def _listed(self, prefix: str) -> Iterator[ObjectMeta]:
        with self._asked(prefix):
            for objects in obstore.list(self._store, prefix, chunk_size=1_000):
                yield from objects

    def now(self) -> datetime:
        """Return the time of the store's clock, which dates its objects."""
        with self._probe(b"") as key:
            return self._meta(key)["last_modified"]

    def ping(self) -> None:
        """Raise StorageUnavailable if the store does not answer."""
        with contextlib.suppress(FileNotFoundError):
            self.get(f"{_PROBE}/absent")

    def has_ranges(self) -> bool:
        """Return whether the store answers a request for a part of an object with it."""
        with self._probe(b"0123456789") as key:
            try:
                return bytes(self.get(key, range=(3, 6)).bytes()) == b"345"
            except StorageUnavailable:
                return False

    def has_conditional_puts(self) -> bool:
        """Return whether the store can refuse to replace an object."""
        with self._probe(b"first") as key:
            try:
                with self._asked(key):
                    obstore.put(self._store, key, b"second", mode="create")
            except StorageUnavailable:
                return bytes(self.get(key).bytes()) == b"first"
            return False

    @contextlib.contextmanager
    def _probe(self, content: bytes) -> Iterator[str]:
        """Provide the key of an object that is deleted at the end of the context."""
        key = f"{_PROBE}/{new_id('probe')}"
        with self._asked(key):
            obstore.put(self._store, key, content)
        try:
            yield key
        finally:
            self.delete(key)

    @contextlib.contextmanager
    def _asked(self, key: str) -> Iterator[None]:
        """Raise FileNotFoundError or StorageUnavailable in place of obstore's errors."""
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise StorageUnavailable("has no such bucket") from error
            raise no_such_file(key) from error
        except obstore.exceptions.BaseError as error:
            if _NO_RANGES in str(error):
                raise StorageUnavailable("ignores ranges") from error
            self._away_until = time.monotonic() + _AWAY_SECONDS
            log.warning("the store of files: %s", _first_line(error))
            raise StorageUnavailable(_reason(error)) from error
        else:
            self._away_until = 0.0


def _store_of(url: str, rules: StorageRules) -> S3Store:
    parts = urlsplit(url)
    return obstore.store.S3Store(
        parts.netloc,
        disable_bulk_delete=True,  # one DELETE can be repeated, a POST cannot
        prefix=unquote(parts.path).strip("/") or None,
        client_options={
            "allow_http": True,  # only if the endpoint is an http:// URL
            "connect_timeout": timedelta(seconds=rules.timeout_seconds),
            "read_timeout": timedelta(seconds=rules.timeout_seconds),
            "timeout": _UNLIMITED,  # a slow client may read a download for hours
        },
        retry_config={
            "max_retries": _MANY if rules.retry_seconds else 0,
            "retry_timeout": timedelta(seconds=rules.retry_seconds),
            "backoff": {
                "init_backoff": timedelta(seconds=0.1),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        },
    )


def _reason(error: Exception) -> str:
    denied = obstore.exceptions.PermissionDeniedError
    if isinstance(error, (denied, obstore.exceptions.UnauthenticatedError)):
        return "refuses the credentials of this service"
    return "does not answer, or answers with errors"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
