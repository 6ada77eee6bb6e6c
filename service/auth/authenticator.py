"""Identify the caller of a request: a key, or a local program while no key exists."""

from core.errors import MissingScope, TooManyRequests, Unauthorized
from core.keys.caller import LOCAL, PROBE, Caller
from core.keys.tokens import PREFIX
from core.settings import Settings
from fitserve.scopes import Scope
from service.auth.api_key_cache import BEARER, ApiKeyCache, CachedKey
from service.auth.hosts import AllowedHosts
from service.auth.rate_limits import AddressBuckets
from service.auth.scopes import Access, RequiredAccess

Headers = dict[bytes, bytes]
"""The last value of each header; the request gate refuses repeated single headers."""
_PREFIX = f" {PREFIX}_".encode()


class Authenticator:
    """Find the caller of a request, and check that it has the required access.

    Args:
        api_keys: the cached keys.
        settings: the allowed hosts, and how many unknown keys an address may try.

    """

    def __init__(self, api_keys: ApiKeyCache, settings: Settings) -> None:
        self._api_keys = api_keys
        self._hosts = AllowedHosts(settings)
        self._addresses = AddressBuckets(settings.limits.unknown_keys_per_minute)

    def peek(
        self, required: RequiredAccess, path: str, headers: Headers
    ) -> Caller | None:
        """Return the caller, or None if the database must be queried.

        Raises the same errors as `find`.
        """
        if required is Access.OPEN:
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
        return None if known is None else _authorized(known, required, path)

    async def find(
        self, required: RequiredAccess, path: str, headers: Headers, address: str
    ) -> Caller:
        """Return the caller.

        Raises Unauthorized, MissingScope, ForbiddenHost, TooManyRequests.
        """
        authorization = headers.get(b"authorization", b"")
        if await self._api_keys.find_keyless() and not _has_key(authorization):
            self._hosts.check(headers)
            return LOCAL
        return _authorized(await self._look_up(authorization, address), required, path)

    async def admit_call(
        self,
        authorization: str | bytes,
        address: str,
        required: RequiredAccess,
        name: str,
    ) -> Caller:
        """Return the caller of a gRPC method.

        Hosts are not checked: a web page cannot send gRPC, even through DNS rebinding.
        """
        if isinstance(authorization, str):
            authorization = authorization.encode()
        if await self._api_keys.find_keyless() and not _has_key(authorization):
            return LOCAL
        return _authorized(await self._look_up(authorization, address), required, name)

    async def _look_up(self, authorization: bytes, address: str) -> CachedKey:
        """Return the key from the database.

        Raises TooManyRequests if the address tried too many wrong keys.
        """
        given = _token(authorization)
        if known := self._api_keys.peek(BEARER + given):  # e.g. `bearer` in lower case
            return known
        token = self._api_keys.parse_token(given)
        bucket = self._addresses.bucket(address)
        if wait := bucket.take():
            raise TooManyRequests("This address sent too many wrong API keys.", wait)
        known = await self._api_keys.find(token)
        bucket.give_back()
        return known


def _has_key(authorization: bytes) -> bool:
    """Return whether the header contains a fitserve key.

    Such a key is looked up even if this process has cached that no key exists. Other
    credentials are ignored while no key exists.
    """
    return _PREFIX in authorization


def _token(authorization: bytes) -> bytes:
    if not authorization:
        raise Unauthorized(
            "This service requires an API key. Send it as `Authorization: Bearer <key>`."
        )
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise Unauthorized(
            "The header Authorization has the wrong scheme; expected `Bearer <key>`."
        )
    return token.strip()


def _authorized(known: CachedKey, required: RequiredAccess, name: str) -> Caller:
    caller = known.caller
    if isinstance(required, Scope) and required not in caller.scopes:
        has = ", ".join(f"`{scope}`" for scope in Scope if scope in caller.scopes)
        raise MissingScope(
            f"{_unknown_hint(required)}{name} requires the scope `{required}`; this key "
            f"has {has}. Ask the operator for a key created with `--scope {required}`."
        )
    if known.bucket is not None and (wait := known.bucket.take()):
        detail = "This key exceeds its request rate. Try again later."
        raise TooManyRequests(detail, wait)
    return caller


def _unknown_hint(required: Scope) -> str:
    """Return a hint for a mistyped path."""
    if required != Scope.ADMIN:
        return ""
    return "Check the path and the method first: unknown ones need `admin` too. "
