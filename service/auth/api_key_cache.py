"""The keys that an API process knows, so that a request need not ask the database.

A key is checked once. While it is used, a thread reads again every half second whether it
is still in force; one that was revoked is out everywhere within a second
(docs/decisions/0023).
"""

import asyncio
import hashlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from core.database.base import utc_now
from core.database.sessions import Database
from core.errors import Unauthorized
from core.keys.caller import Caller
from core.keys.pepper import Pepper, read_pepper
from core.keys.repository import ApiKeyRepository
from core.keys.service import check_key
from core.keys.tables import ApiKey
from core.keys.tokens import LONGEST, Token, parse
from core.settings import Limits, Settings
from fitserve.schemas.keys import KeyLimits
from fitserve.scopes import Scope
from service.auth.rate_limits import Bucket

log = logging.getLogger(__name__)

_MAX_AGE = 0.8
"""Seconds that what is known of a key may be old."""
_GRACE = 300.0
"""Seconds for which known keys hold while the database does not answer."""
_REFUSED_SECONDS = 10.0
_NOTE_SECONDS = 60.0
_MOST = 10_000
_MOST_REFUSED = 1_000
_FOREVER = float("inf")


BEARER = b"Bearer "
"""Before a key in the header by which it is remembered; other spellings cost more."""


class CachedKey:
    """A key in force: whose it is, and how fast it may ask."""

    __slots__ = ("bucket", "caller", "is_used", "until")

    def __init__(self, caller: Caller, rate: float, until: float) -> None:
        self.caller = caller
        self.bucket = Bucket(rate) if rate else None
        self.until = until
        self.is_used = True


class ApiKeyCache:
    """Checks keys, and keeps what is known of them fresh."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._pepper: Pepper | None = None
        self._known: dict[bytes, CachedKey] = {}
        self._refused: dict[bytes, tuple[float, str]] = {}
        self._asking: dict[bytes, asyncio.Future[CachedKey]] = {}
        self._askers = ThreadPoolExecutor(2, "keys")
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self.may_be_keyless = settings.is_loopback and settings.api_key is None
        """Whether this machine's programs may still be let in without a key."""
        self._keyless_until = 0.0
        self._read_at = time.monotonic()
        self._used: set[str] = set()
        self._note_at = self._read_at + _NOTE_SECONDS
        if settings.api_key is not None:
            text = settings.api_key.get_secret_value().encode()
            self._known[_digest(BEARER + text)] = _operator(settings.limits)

    def peek(self, said: bytes) -> CachedKey | None:
        """The key of a header if it is known and fresh; never asks the database."""
        known = self._known.get(_digest(said))
        if known is None or time.monotonic() >= known.until:
            return None
        known.is_used = True
        return known

    def is_keyless(self) -> bool:
        """Whether there is surely no key at all; never asks the database."""
        return time.monotonic() < self._keyless_until

    def end_keyless(self) -> None:
        """There is a key: from now on one is wanted, even when none is in force."""
        self.may_be_keyless, self._keyless_until = False, 0.0

    async def find_keyless(self) -> bool:
        """The same, asked of the database if need be."""
        if self.may_be_keyless and not self.is_keyless():
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._askers, self._look_for_keys)
        return self.is_keyless()

    async def find(self, token: Token) -> CachedKey:
        """The key, asked of the database, once for all that ask at once; Unauthorized."""
        digest = _digest(BEARER + str(token).encode())
        asking = self._asking.get(digest)
        if asking is None:
            loop = asyncio.get_running_loop()
            asking = loop.run_in_executor(self._askers, self._look_up, token, digest)
            self._asking[digest] = asking
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(asking)

    def token_of(self, given: bytes) -> Token:
        """Return the parts of a key; Unauthorized if it is known to be wrong.

        The database is not asked.
        """
        token = parse(given.decode("latin-1")) if len(given) <= LONGEST else None
        if token is None:
            raise Unauthorized(
                "That is no API key of this service: its form or checksum is wrong. Keys "
                "are made by `fitserve keys create`."
            )
        until, detail = self._refused.get(_digest(BEARER + given), (0.0, ""))
        if time.monotonic() < until:
            raise Unauthorized(detail)
        return token

    def start(self) -> None:
        """Begin to keep what is known fresh."""
        try:
            self._look_for_keys()
        except SQLAlchemyError:
            log.warning("the database is out of reach; keys are looked for later")
        threading.Thread(target=self._run, name="api-keys", daemon=True).start()

    def stop(self) -> None:
        """Refresh no more."""
        self._stopped.set()
        try:
            self._note_use()
        except SQLAlchemyError:
            log.warning("could not note when keys were used last")
        self._askers.shutdown(wait=False, cancel_futures=True)

    def refresh(self) -> None:
        """Read anew which of the keys that are in use are in force."""
        if self.may_be_keyless and self._keyless_until:
            self._look_for_keys()
        with self._lock:
            used = {d: k for d, k in self._known.items() if k.is_used and _id(k)}
        if used:
            ids = {_id(known) for known in used.values()}
            with self._database.read() as session:
                valid = {key.id: key for key in ApiKeyRepository(session).valid(ids)}
            for digest, known in used.items():
                self._renew(digest, known, valid.get(_id(known)))
            self._used |= ids
        self._read_at = time.monotonic()

    def forget(self, key_id: str) -> None:
        """Let a key in no more, from this moment."""
        with self._lock:
            for digest in [d for d, k in self._known.items() if _id(k) == key_id]:
                del self._known[digest]

    def pepper(self) -> Pepper:
        """That of the keys, read or made when it is first wanted."""
        if self._pepper is None:
            self._pepper = read_pepper(self._settings)
        return self._pepper

    def _renew(self, digest: bytes, known: CachedKey, key: ApiKey | None) -> None:
        known.is_used = False
        if key is None:
            self._known.pop(digest, None)
        else:
            known.until = _until(key)

    def _look_up(self, token: Token, digest: bytes) -> CachedKey:
        try:
            with self._database.read() as session:
                key = check_key(session, self.pepper(), token)
        except Unauthorized as error:
            self._refuse(digest, error.detail)
            raise
        known = _known(key, self._settings.limits)
        with self._lock:
            if len(self._known) >= _MOST:
                self._forget_stale()
            self._known[digest] = known
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
            self._keyless_until = time.monotonic() + _MAX_AGE

    def _refuse(self, digest: bytes, detail: str) -> None:
        with self._lock:
            if len(self._refused) >= _MOST_REFUSED:
                self._refused.clear()
            self._refused[digest] = time.monotonic() + _REFUSED_SECONDS, detail

    def _forget_stale(self) -> None:
        now = time.monotonic()
        fresh = {d: k for d, k in self._known.items() if k.until > now}
        self._known = fresh if len(fresh) < _MOST else {}

    def _run(self) -> None:
        while not self._stopped.wait(_MAX_AGE / 2):
            try:
                self.refresh()
                if time.monotonic() >= self._note_at:
                    self._note_use()
            except SQLAlchemyError:
                log.warning("the database is out of reach; known keys hold for a while")
                self._extend()
            except Exception:
                log.exception("keys could not be read anew")

    def _note_use(self) -> None:
        self._note_at = time.monotonic() + _NOTE_SECONDS
        used, self._used = self._used, set()
        if used:
            with self._database.write() as session:
                ApiKeyRepository(session).note_use(used)

    def _extend(self) -> None:
        now = time.monotonic()
        if now > self._read_at + _GRACE:
            return
        for known in list(self._known.values()):
            if now - _MAX_AGE < known.until < now + _MAX_AGE:
                known.until = now + _MAX_AGE
        if self._keyless_until > now - _MAX_AGE:
            self._keyless_until = now + _MAX_AGE


def _digest(given: bytes) -> bytes:
    """What a key is known by here: its text is kept nowhere, and compared nowhere."""
    return hashlib.sha256(given).digest()


def _id(known: CachedKey) -> str:
    return known.caller.key_id or ""


def _known(key: ApiKey, limits: Limits) -> CachedKey:
    own = KeyLimits.model_validate(key.limits)
    rate = own.requests_per_second
    caller = Caller(
        workspace=key.workspace,
        scopes=frozenset(map(Scope, key.scopes)),
        key_id=key.id,
        is_known=True,
        queued_runs=_most(own.queued_runs, limits.key_queued_runs),
        stored_bytes=_most(own.stored_bytes, limits.key_stored_bytes),
    )
    rate = limits.key_requests_per_second if rate is None else rate
    return CachedKey(caller, rate, _until(key))


def _operator(limits: Limits) -> CachedKey:
    """FITSERVE_API_KEY: everything, in the workspace `default`."""
    caller = Caller(
        scopes=frozenset(Scope),
        is_known=True,
        queued_runs=limits.key_queued_runs or None,
        stored_bytes=limits.key_stored_bytes or None,
    )
    return CachedKey(caller, limits.key_requests_per_second, _FOREVER)


def _most(own: int | None, default: int) -> int | None:
    """A key's limit, else the service's; 0 is none."""
    return (default if own is None else own) or None


def _until(key: ApiKey) -> float:
    return time.monotonic() + min(_MAX_AGE, _seconds_to(key.expires_at))


def _seconds_to(moment: datetime | None) -> float:
    return _FOREVER if moment is None else (moment - utc_now()).total_seconds()
