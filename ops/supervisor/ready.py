"""The message of `fitserve up` when the service is ready."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from ops.supervisor.parts import Part

KeyState = Literal["none", "setting", "database"]


class Ready(BaseModel):
    """The address of a ready service, the kind of key it needs, and its processes."""

    url: str
    key: KeyState
    """The key that the API requires: no key, FITSERVE_API_KEY, or one in the database."""
    home: Path
    logs: Path
    pids: dict[str, int]
    """Process ids by part; stop `supervisor` to stop all."""


def pids_of(parts: Sequence[Part], supervisor: int) -> dict[str, int]:
    """Return the process ids of the running parts by name."""
    running = {part.name: part.process.pid for part in parts if part.process}
    return {"supervisor": supervisor, **running}
