"""Keys for tests, made as an operator makes them."""

from typing import Any

from core.keys.pepper import read_pepper
from core.keys.service import create_key
from fitserve.schemas.keys import KeyCreate
from fitserve.scopes import Scope
from tests.conftest import ServiceUnderTest


def make_key(bench: ServiceUnderTest, **given: Any) -> str:
    """A key of every scope unless given."""
    spec = KeyCreate.model_validate({"name": "test", "scopes": list(Scope), **given})
    with bench.database.write() as session:
        return create_key(session, read_pepper(bench.settings), spec).key


def bearing(key: str) -> dict[str, str]:
    """The header that a client sends."""
    return {"Authorization": f"Bearer {key}"}


def id_of(key: str) -> str:
    """The public part."""
    return key.split("_")[1]
