"""Who asks: what a request may do, where, and how much of it."""

from dataclasses import dataclass

from fitserve.names import DEFAULT_WORKSPACE
from fitserve.scopes import Scope


@dataclass(frozen=True)
class Caller:
    """The bearer of a key, or a program of this machine where there are no keys.

    Args:
        workspace: whose datasets, runs and models it sees; no others are there.
        scopes: what it may do.
        key_id: of its key in the database; None for the operator's and for none.
        is_known: whether it bore a key.
        queued_runs: runs that may wait in the workspace for it to add one more.
        stored_bytes: bytes that the workspace may hold for it to add to them.

    """

    workspace: str = DEFAULT_WORKSPACE
    scopes: frozenset[Scope] = frozenset()
    key_id: str | None = None
    is_known: bool = False
    queued_runs: int | None = None
    stored_bytes: int | None = None


PROBE = Caller()
"""Whoever asks for what needs no key."""
LOCAL = Caller(scopes=frozenset(Scope))
"""A program of this machine, where there are no keys."""
