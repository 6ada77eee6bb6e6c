"""What is told of a service once it answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from core.database.sessions import Database
from core.keys.repository import ApiKeyRepository
from core.settings import Settings
from ops.supervisor.parts import Part

KeyState = Literal["none", "setting", "database"]


class Ready(BaseModel):
    """Where the service is, what it wants, which processes it is."""

    url: str
    key: KeyState
    """What opens it: nothing on this machine, FITSERVE_API_KEY, keys of the database."""
    home: Path
    logs: Path
    pids: dict[str, int]
    """By part; `supervisor` is the one to stop."""


def key_state(settings: Settings, database: Database) -> KeyState:
    """Which keys the door knows; one that has ended keeps it shut all the same."""
    if settings.api_key is not None:
        return "setting"
    with database.read() as session:
        return "database" if ApiKeyRepository(session).any_ever() else "none"


def pids_of(parts: Sequence[Part], supervisor: int) -> dict[str, int]:
    """Process ids by the parts' names, of those that run."""
    running = {part.name: part.process.pid for part in parts if part.process}
    return {"supervisor": supervisor, **running}
