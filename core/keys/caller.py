"""The workspace, the permissions and the limits of a request."""

from dataclasses import dataclass

from fitserve.names import DEFAULT_WORKSPACE
from fitserve.scopes import Scope


@dataclass(frozen=True)
class Caller:
    """The sender of a request: the owner of a key, or a local program without a key.

    Args:
        workspace: the workspace whose datasets, runs and models it can use.
        scopes: the actions that it may perform.
        key_id: the id of its key in the database; None for the operator's or no key.
        is_known: whether it sent a valid key.
        queued_runs: the maximum number of queued runs in the workspace, if limited.
        stored_bytes: the maximum number of bytes in the workspace, if limited.

    """

    workspace: str = DEFAULT_WORKSPACE
    scopes: frozenset[Scope] = frozenset()
    key_id: str | None = None
    is_known: bool = False
    queued_runs: int | None = None
    stored_bytes: int | None = None


PROBE = Caller()
"""A sender of requests that need no key."""
LOCAL = Caller(scopes=frozenset(Scope))
"""A program on the machine of a service without keys."""
