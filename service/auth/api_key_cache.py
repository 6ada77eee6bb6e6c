"""Cache the API keys in use, so that a request needs no database query.

A key is looked up once. While the key is in use, a thread checks every 0.4 s whether it
is still valid, so that a revoked key is refused everywhere within a second
(docs/decisions/0023).
"""

import hashlib
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from core.database.base import utc_now
from core.database.sessions import Database
from core.errors import Unauthorized
from core.keys.caller import LOCAL, Caller
from core.keys.pepper import Pepper, read_pepper
from core.keys.repository import ApiKeyRepository
from core.keys.service import check_key
from core.keys.tables import ApiKey
from core.keys.tokens import LONGEST, Token, parse
from core.refresh_ahead_cache import FOREVER, RefreshAheadCache
from core.settings import Limits, Settings
from core.single_flight import SingleFlight
from core.threads import PeriodicThread
from fitserve.schemas.keys import KeyLimits
from fitserve.scopes import Scope
from service.auth.rate_limits import TokenBucket

log = logging.getLogger(__name__)

_MAX_AGE = 0.8
_GRACE_SECONDS = 300.0
_REFUSED_SECONDS = 10.0
_NOTE_SECONDS = 60.0
_MAX_REFUSED = 1_000
_NO_KEY = b""
"""The cache entry of requests without an API key, as long as no API key exists."""

BEARER = b"Bearer "
"""The prefix of a key in the cached header; headers with another spelling cost more."""


class CachedKey:
    """A valid key: its caller, and the rate at which it may be used."""

    __slots__ = ("bucket", "caller")

    def __init__(self, caller: Caller, rate: float = 0.0) -> None:
        self.caller = caller
        self.bucket = TokenBucket(rate) if rate else None


class ApiKeyCache:
    """Check API keys, and keep those in use fresh."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._pepper: Pepper | None = None
        self._keys = RefreshAheadCache[bytes, CachedKey](
            "api-keys", _MAX_AGE, self._reread, grace=_GRACE_SECONDS
        )
        self._refused: dict[bytes, tuple[float, str]] = {}
        self._pool = ThreadPoolExecutor(2, "keys")
        self._lookups = SingleFlight(self._pool.submit)
        self._lock = threading.Lock()
        self._used: set[str] = set()
        self._notes = PeriodicThread("api-key-use", _NOTE_SECONDS, self._note_use)
        self.may_be_keyless = settings.is_loopback and settings.api_key is None
        """Whether programs on this machine may be admitted without a key."""
        if settings.api_key is not None:
            text = settings.api_key.get_secret_value().encode()
            self._keys.pin(_digest(BEARER + text), _operator_key(settings.limits))

    def peek(self, header: bytes) -> CachedKey | None:
        """Return the key of a header if it is cached; never query the database."""
        return self._keys.peek(_digest(header))

    def is_keyless(self) -> bool:
        """Return whether the cache says that no key exists; never query the database."""
        return self.may_be_keyless and self._keys.peek(_NO_KEY) is not None

    def end_keyless(self) -> None:
        """Require a key from now on, even if none is valid."""
        self.may_be_keyless = False

    async def find_keyless(self) -> bool:
        """Return whether no key exists; query the database if necessary."""
        if self.may_be_keyless and not self.is_keyless():
            await self._lookups.wait(_NO_KEY, self._look_for_keys)
        return self.is_keyless()

    async def find(self, token: Token) -> CachedKey:
        """Return the key from the database, or raise Unauthorized."""
        digest = _digest(BEARER + str(token).encode())
        return await self._lookups.wait(digest, partial(self._look_up, token, digest))

    def parse_token(self, given: bytes) -> Token:
        """Return the parts of a key, without a database query.

        Raises Unauthorized if the key is malformed, or was refused a moment ago.
        """
        token = parse(given.decode("latin-1")) if len(given) <= LONGEST else None
        if token is None:
            raise Unauthorized(
                "The API key is invalid: its form or checksum is wrong. Create a key "
                "with `fitserve keys create`."
            )
        until, detail = self._refused.get(_digest(BEARER + given), (0.0, ""))
        if time.monotonic() < until:
            raise Unauthorized(detail)
        return token

    def start(self) -> None:
        """Start the threads that keep keys fresh and record when they were used."""
        try:
            self._look_for_keys()
        except SQLAlchemyError:
            log.warning("the database is unavailable; keys are looked up later")
        self._keys.start()
        self._notes.start()

    def stop(self) -> None:
        """Stop the threads, and record which keys were used."""
        self._keys.stop()
        self._notes.stop()
        try:
            self._note_use()
        except SQLAlchemyError:
            log.warning("could not record when keys were last used")
        self._pool.shutdown(wait=False, cancel_futures=True)

    def refresh(self) -> None:
        """Check in the database which of the keys in use are still valid."""
        self._keys.refresh()

    def forget(self, key_id: str) -> None:
        """Remove a key from the cache, so that it is looked up again."""
        self._keys.drop(lambda _, known: known.caller.key_id == key_id)

    def pepper(self) -> Pepper:
        """Return the pepper of the keys, which is read or created on first use."""
        if self._pepper is None:
            self._pepper = read_pepper(self._settings)
        return self._pepper

    def _reread(self, known: Mapping[bytes, CachedKey]) -> dict[bytes, CachedKey]:
        """Return the keys that are still valid."""
        ids = {key.caller.key_id for key in known.values() if key.caller.key_id}
        with self._database.read() as session:
            keys = ApiKeyRepository(session)
            valid = {key.id for key in keys.valid(ids)} if ids else set()
            found = {d: key for d, key in known.items() if key.caller.key_id in valid}
            if _NO_KEY in known and not keys.any_ever():
                found[_NO_KEY] = known[_NO_KEY]
        with self._lock:
            self._used |= ids
        return found

    def _look_up(self, token: Token, digest: bytes) -> CachedKey:
        try:
            with self._database.read() as session:
                key = check_key(session, self.pepper(), token)
        except Unauthorized as error:
            self._refuse(digest, error.detail)
            raise
        known = _cached_key(key, self._settings.limits)
        self._keys.put(digest, known, _seconds_to(key.expires_at))
        self.end_keyless()
        return known

    def _look_for_keys(self) -> None:
        if not self.may_be_keyless:
            return
        with self._database.read() as session:
            has_keys = ApiKeyRepository(session).any_ever()
        if has_keys:
            self.end_keyless()
        else:
            self._keys.put(_NO_KEY, CachedKey(LOCAL))

    def _refuse(self, digest: bytes, detail: str) -> None:
        with self._lock:
            if len(self._refused) >= _MAX_REFUSED:
                self._refused.clear()
            self._refused[digest] = time.monotonic() + _REFUSED_SECONDS, detail

    def _note_use(self) -> None:
        with self._lock:
            used, self._used = self._used, set()
        if used:
            with self._database.write() as session:
                ApiKeyRepository(session).note_use(used)


def _digest(given: bytes) -> bytes:
    """Return the cache key of a header, whose text is neither kept nor compared."""
    return hashlib.sha256(given).digest()


def _cached_key(key: ApiKey, limits: Limits) -> CachedKey:
    own = KeyLimits.model_validate(key.limits)
    rate = own.requests_per_second
    caller = Caller(
        workspace=key.workspace,
        scopes=frozenset(map(Scope, key.scopes)),
        key_id=key.id,
        is_known=True,
        queued_runs=_limit(own.queued_runs, limits.key_queued_runs),
        stored_bytes=_limit(own.stored_bytes, limits.key_stored_bytes),
    )
    rate = limits.key_requests_per_second if rate is None else rate
    return CachedKey(caller, rate)


def _operator_key(limits: Limits) -> CachedKey:
    """Return FITSERVE_API_KEY, which has every scope in the workspace `default`."""
    caller = Caller(
        scopes=frozenset(Scope),
        is_known=True,
        queued_runs=limits.key_queued_runs or None,
        stored_bytes=limits.key_stored_bytes or None,
    )
    return CachedKey(caller, limits.key_requests_per_second)


def _limit(own: int | None, default: int) -> int | None:
    """Return the key's limit or the default limit; None if that is 0 (no limit)."""
    return (default if own is None else own) or None


def _seconds_to(moment: datetime | None) -> float:
    return FOREVER if moment is None else (moment - utc_now()).total_seconds()
