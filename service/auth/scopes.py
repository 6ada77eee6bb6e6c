"""What a request may be asked to prove: a scope, any key, or nothing."""

from enum import Enum
from typing import NamedTuple

from fitserve.scopes import Scope


class Access(Enum):
    """Access that needs no scope."""

    OPEN = "none"
    """No key: for probes, and for pages that show only what the package holds."""
    ANY_KEY = "any key"
    """A valid key: for facts that are of no workspace, or of the key itself."""


Wanted = Scope | Access


class ReadWrite(NamedTuple):
    """What GET and HEAD need, and what every other method needs."""

    read: Wanted
    write: Wanted

    def needed_by(self, method: str) -> Wanted:
        """Return what a request of the method needs."""
        return self.read if method in ("GET", "HEAD") else self.write


DATASETS = ReadWrite(Scope.DATASETS_READ, Scope.DATASETS_WRITE)
RUNS = ReadWrite(Scope.RUNS_READ, Scope.RUNS_WRITE)
MODELS = ReadWrite(Scope.MODELS_READ, Scope.MODELS_WRITE)
