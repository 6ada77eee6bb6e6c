"""Import every table, for alembic and the tests."""

from core.database.base import Base
from core.database.migration_times import MigrationTime
from core.datasets.tables import Dataset, Lineage
from core.idempotency.tables import IdempotencyKey
from core.keys.tables import ApiKey
from core.models.tables import Alias, Artifact, Model, ModelChange, Version
from core.runs.tables import Epoch, History, Run
from core.webhooks.tables import Webhook
from core.workers.tables import Worker

__all__ = [
    "Alias",
    "ApiKey",
    "Artifact",
    "Base",
    "Dataset",
    "Epoch",
    "History",
    "IdempotencyKey",
    "Lineage",
    "MigrationTime",
    "Model",
    "ModelChange",
    "Run",
    "Version",
    "Webhook",
    "Worker",
]
