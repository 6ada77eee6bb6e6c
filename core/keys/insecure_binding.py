"""Refuse to listen on a network without an API key."""

from core.database.sessions import Database
from core.keys.repository import ApiKeyRepository
from core.settings import Settings


class InsecureBinding(Exception):
    """The service would serve anybody; the message says how to mend it."""


def refuse_insecure_binding(settings: Settings, database: Database) -> None:
    """Raise InsecureBinding if other machines can connect and no API key is set."""
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
            "service. Make a key with `fitserve keys create`, set FITSERVE_API_KEY, or "
            "name the origins."
        )
    raise InsecureBinding(
        f"Listening on {settings.host} would let anybody on the network train. Make a "
        "key with `fitserve keys create`, set FITSERVE_API_KEY to 16 secret characters "
        "or more, or listen on 127.0.0.1."
    )
