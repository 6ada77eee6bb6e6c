"""The scopes of API keys."""

from enum import StrEnum


class Scope(StrEnum):
    """Each route wants one of these; none is contained in another."""

    DATASETS_READ = "datasets:read"
    DATASETS_WRITE = "datasets:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    MODELS_READ = "models:read"
    MODELS_PREDICT = "models:predict"
    MODELS_WRITE = "models:write"
    METRICS_READ = "metrics:read"
    """The figures of the whole service, every workspace's."""
    ADMIN = "admin"
    """Making and revoking keys, in every workspace."""


OPERATORS = frozenset({Scope.METRICS_READ, Scope.ADMIN})
"""Those that reach beyond the key's own workspace."""
USERS = tuple(scope for scope in Scope if scope not in OPERATORS)
"""What a key may do unless it is told."""
