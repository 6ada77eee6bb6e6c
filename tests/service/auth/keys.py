"""Keys for tests, created as an operator creates them."""

from typing import Any

from core.keys.pepper import read_pepper
from core.keys.service import create_key
from fitserve.schemas.keys import KeyCreate
from fitserve.scopes import Scope
from tests.conftest import ServiceUnderTest


def make_key(bench: ServiceUnderTest, **given: Any) -> str:
    """Create a key, by default with every scope, and return it."""
    spec = KeyCreate.model_validate({"name": "test", "scopes": list(Scope), **given})
    with bench.database.write() as session:
        return create_key(session, read_pepper(bench.settings), spec).key


def bearing(key: str) -> dict[str, str]:
    """Return the request header for a key."""
    return {"Authorization": f"Bearer {key}"}


def id_of(key: str) -> str:
    """Return the id, which is the public part of a key."""
    return key.split("_")[1]
