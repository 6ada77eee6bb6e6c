"""The access that a route requires: a scope, any valid key, or nothing."""

from enum import Enum
from typing import NamedTuple

from fitserve.scopes import Scope


class Access(Enum):
    """Access that needs no scope."""

    OPEN = "none"
    """No key: for probes, and for pages that contain only files of the package."""
    ANY_KEY = "any key"
    """A valid key: for facts about the service, or about the key itself."""


RequiredAccess = Scope | Access


class ReadWrite(NamedTuple):
    """The access that GET and HEAD need, and the access that other methods need."""

    read: RequiredAccess
    write: RequiredAccess

    def needed_by(self, method: str) -> RequiredAccess:
        """Return the access that a request of the method needs."""
        return self.read if method in ("GET", "HEAD") else self.write


DATASETS = ReadWrite(Scope.DATASETS_READ, Scope.DATASETS_WRITE)
RUNS = ReadWrite(Scope.RUNS_READ, Scope.RUNS_WRITE)
MODELS = ReadWrite(Scope.MODELS_READ, Scope.MODELS_WRITE)
