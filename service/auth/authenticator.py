"""Who asks: a key's bearer, or a program of this machine while there are no keys."""

from core.errors import MissingScope, TooManyRequests, Unauthorized
from core.keys.caller import LOCAL, PROBE, Caller
from core.keys.tokens import PREFIX
from core.settings import Settings
from fitserve.scopes import Scope
from service.auth.api_key_cache import BEARER, ApiKeyCache, CachedKey
from service.auth.hosts import Hosts
from service.auth.rate_limits import Addresses
from service.auth.scopes import OPEN, OPEN_FOLDERS, scope_of

Headers = dict[bytes, bytes]
"""The last of each name; twins of those that decide something are refused before."""
_PREFIX = f" {PREFIX}_".encode()


class Authenticator:
    """Decides by headers, method and path; a fresh key is let in without a wait.

    Args:
        api_keys: the keys.
        settings: hosts, limits, and whether `/metrics` is told to anybody.

    """

    def __init__(self, api_keys: ApiKeyCache, settings: Settings) -> None:
        self._api_keys = api_keys
        self._hosts = Hosts(settings)
        self._open = OPEN | ({"/metrics"} if settings.metrics_open else set())
        self._addresses = Addresses(settings.limits.unknown_keys_per_minute)

    def peek(self, method: str, path: str, headers: Headers) -> Caller | None:
        """The caller; None if the database must be asked. Raises what `find` raises."""
        if path in self._open or path.startswith(OPEN_FOLDERS):
            if self._api_keys.may_be_keyless:
                self._hosts.check(headers)
            return PROBE
        if self._api_keys.may_be_keyless:
            if not self._api_keys.is_keyless() or _bears_key(
                headers.get(b"authorization", b"")
            ):
                return None
            self._hosts.check(headers)
            return LOCAL
        known = self._api_keys.peek(headers.get(b"authorization", b""))
        return None if known is None else _admitted(known, scope_of(method, path), path)

    async def find(
        self, method: str, path: str, headers: Headers, address: str
    ) -> Caller:
        """The caller.

        Raises Unauthorized, MissingScope, ForbiddenHost, TooManyRequests.
        """
        said = headers.get(b"authorization", b"")
        if await self._api_keys.find_keyless() and not _bears_key(said):
            self._hosts.check(headers)
            return LOCAL
        known = await self._look_up(said, address)
        return _admitted(known, scope_of(method, path), path)

    async def admit_call(
        self,
        authorization: str | bytes,
        address: str,
        wanted: Scope | None,
        what: str,
    ) -> Caller:
        """The caller of gRPC, which no web page and no rebound name can speak."""
        said = authorization.encode() if isinstance(authorization, str) else authorization
        if await self._api_keys.find_keyless() and not _bears_key(said):
            return LOCAL
        known = await self._look_up(said, address)
        return _admitted(known, wanted, what)

    async def _look_up(self, said: bytes, address: str) -> CachedKey:
        """The database's word; who asks for it in vain too often is not heard."""
        given = _token(said)
        if known := self._api_keys.peek(BEARER + given):  # spelled in another way
            return known
        token = self._api_keys.token_of(given)
        bucket = self._addresses.bucket(address)
        if wait := bucket.take():
            raise TooManyRequests("Too many wrong API keys came from this address.", wait)
        known = await self._api_keys.find(token)
        bucket.give_back()
        return known


def _bears_key(said: bytes) -> bool:
    """Whether it has a key of ours: then it is asked for, however new the first key is.

    What else clients send to a service without keys means nothing.
    """
    return _PREFIX in said


def _token(authorization: bytes) -> bytes:
    if not authorization:
        raise Unauthorized(
            "This service wants an API key. Send it as `Authorization: Bearer <key>`."
        )
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise Unauthorized(
            "The header Authorization is of another kind; expected `Bearer <key>`."
        )
    return token.strip()


def _admitted(known: CachedKey, wanted: Scope | None, what: str) -> Caller:
    caller = known.caller
    if wanted is not None and wanted not in caller.scopes:
        has = ", ".join(f"`{scope}`" for scope in Scope if scope in caller.scopes)
        raise MissingScope(
            f"{what} wants the scope `{wanted}`, this key has {has}; ask the operator "
            f"for a key made with `--scope {wanted}`.{_of_unknown(wanted)}"
        )
    if known.bucket is not None and (wait := known.bucket.take()):
        raise TooManyRequests("This key asks faster than it may.", wait)
    return caller


def _of_unknown(wanted: Scope) -> str:
    """Return a hint for who mistyped a path."""
    if wanted != Scope.ADMIN:
        return ""
    return " A path that does not exist needs this scope too; /docs lists all."
