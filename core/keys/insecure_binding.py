"""Refuse to start with too open a configuration of keys."""

from core.database.sessions import Database
from core.keys.repository import ApiKeyRepository
from core.keys.tokens import parse
from core.settings import Settings


class InsecureBinding(Exception):
    """The service would be open to anyone; the message says how to prevent it."""


def refuse_insecure_binding(settings: Settings, database: Database) -> None:
    """Raise InsecureBinding if other machines can connect and no API key is set.

    Also raise it if FITSERVE_API_KEY, which clients read too, holds a key of the
    database. As the key of the operator, it would get every scope.
    """
    _refuse_key_of_database(settings, database)
    if settings.api_key is not None or (
        settings.is_loopback and "*" not in settings.cors_origins
    ):
        return
    with database.read() as session:
        if ApiKeyRepository(session).any_valid():
            return
    if settings.is_loopback:
        raise InsecureBinding(
            "FITSERVE_CORS_ORIGINS=* without a key would let every web page use this "
            "service. Create a key with `fitserve keys create`, set FITSERVE_API_KEY, "
            "or list the allowed origins."
        )
    raise InsecureBinding(
        f"Listening on {settings.host} without a key would let everyone on the network "
        "use this service. Create a key with `fitserve keys create`, set "
        "FITSERVE_API_KEY to at least 16 secret characters, or listen on 127.0.0.1."
    )


def _refuse_key_of_database(settings: Settings, database: Database) -> None:
    key = settings.api_key
    token = parse(key.get_secret_value()) if key is not None else None
    if token is None:
        return
    with database.read() as session:
        if ApiKeyRepository(session).find(token.key_id) is None:
            return
    raise InsecureBinding(
        f"FITSERVE_API_KEY is the key {token.key_id} of this database. As the server's "
        "own key it would get every scope. Unset FITSERVE_API_KEY here, or set another "
        "secret."
    )
