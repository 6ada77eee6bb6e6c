"""The scopes of API keys."""

from enum import StrEnum


class Scope(StrEnum):
    """A permission of an API key. A route requires one; no scope includes another."""

    DATASETS_READ = "datasets:read"
    DATASETS_WRITE = "datasets:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    MODELS_READ = "models:read"
    MODELS_PREDICT = "models:predict"
    MODELS_WRITE = "models:write"
    METRICS_READ = "metrics:read"
    """Read the metrics of the whole service, over all workspaces."""
    ADMIN = "admin"
    """Create and revoke keys in every workspace."""


OPERATORS = frozenset({Scope.METRICS_READ, Scope.ADMIN})
"""Scopes that are not limited to the key's workspace."""
USERS = tuple(scope for scope in Scope if scope not in OPERATORS)
"""The scopes of a new key by default."""
