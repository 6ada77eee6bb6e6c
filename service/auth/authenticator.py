"""Who sends a request: the owner of a key, or a local program while there are no keys."""

from core.errors import MissingScope, TooManyRequests, Unauthorized
from core.keys.caller import LOCAL, PROBE, Caller
from core.keys.tokens import PREFIX
from core.settings import Settings
from fitserve.scopes import Scope
from service.auth.api_key_cache import BEARER, ApiKeyCache, CachedKey
from service.auth.hosts import Hosts
from service.auth.rate_limits import Addresses
from service.auth.scopes import Access, Wanted

Headers = dict[bytes, bytes]
"""The last value of each name; the gate refuses headers that must not come twice."""
_PREFIX = f" {PREFIX}_".encode()


class Authenticator:
    """Finds the caller of a request, and checks what its route needs.

    Args:
        api_keys: the keys.
        settings: allowed hosts, and how many unknown keys an address may try.

    """

    def __init__(self, api_keys: ApiKeyCache, settings: Settings) -> None:
        self._api_keys = api_keys
        self._hosts = Hosts(settings)
        self._addresses = Addresses(settings.limits.unknown_keys_per_minute)

    def peek(self, wanted: Wanted, path: str, headers: Headers) -> Caller | None:
        """Return the caller, or None if the database must be asked.

        Raises what `find` raises.
        """
        if wanted is Access.OPEN:
            if self._api_keys.may_be_keyless:
                self._hosts.check(headers)
            return PROBE
        if self._api_keys.may_be_keyless:
            if not self._api_keys.is_keyless() or _has_key(
                headers.get(b"authorization", b"")
            ):
                return None
            self._hosts.check(headers)
            return LOCAL
        known = self._api_keys.peek(headers.get(b"authorization", b""))
        return None if known is None else _admitted(known, wanted, path)

    async def find(
        self, wanted: Wanted, path: str, headers: Headers, address: str
    ) -> Caller:
        """Return the caller.

        Raises Unauthorized, MissingScope, ForbiddenHost, TooManyRequests.
        """
        authorization = headers.get(b"authorization", b"")
        if await self._api_keys.find_keyless() and not _has_key(authorization):
            self._hosts.check(headers)
            return LOCAL
        return _admitted(await self._look_up(authorization, address), wanted, path)

    async def admit_call(
        self, authorization: str | bytes, address: str, wanted: Wanted, name: str
    ) -> Caller:
        """Return the caller of a gRPC method; hosts are not checked.

        No web page speaks gRPC, and no rebound DNS name helps one to.
        """
        if isinstance(authorization, str):
            authorization = authorization.encode()
        if await self._api_keys.find_keyless() and not _has_key(authorization):
            return LOCAL
        return _admitted(await self._look_up(authorization, address), wanted, name)

    async def _look_up(self, authorization: bytes, address: str) -> CachedKey:
        """Return the key from the database.

        Raises TooManyRequests if the address tried too many wrong keys.
        """
        given = _token(authorization)
        if known := self._api_keys.peek(BEARER + given):  # spelled in another way
            return known
        token = self._api_keys.token_of(given)
        bucket = self._addresses.bucket(address)
        if wait := bucket.take():
            raise TooManyRequests("Too many wrong API keys came from this address.", wait)
        known = await self._api_keys.find(token)
        bucket.give_back()
        return known


def _has_key(authorization: bytes) -> bool:
    """Return whether the header has a key of fitserve.

    Such a key is looked up even if this process has not yet seen that keys exist. Other
    credentials are ignored while there are no keys.
    """
    return _PREFIX in authorization


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


def _admitted(known: CachedKey, wanted: Wanted, name: str) -> Caller:
    caller = known.caller
    if isinstance(wanted, Scope) and wanted not in caller.scopes:
        has = ", ".join(f"`{scope}`" for scope in Scope if scope in caller.scopes)
        raise MissingScope(
            f"{_unknown_hint(wanted)}{name} wants the scope `{wanted}`, this key has "
            f"{has}; ask the operator for a key made with `--scope {wanted}`."
        )
    if known.bucket is not None and (wait := known.bucket.take()):
        raise TooManyRequests("This key asks faster than it may.", wait)
    return caller


def _unknown_hint(wanted: Scope) -> str:
    """Return a hint for a mistyped path."""
    if wanted != Scope.ADMIN:
        return ""
    return "Check the path and the method first: unknown ones need `admin` too. "
