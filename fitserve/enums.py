"""The states a run can be in, and why it stopped."""

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run stands; only the database knows, workers ask."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})


class StopReason(StrEnum):
    """Why the last epoch was the last one."""

    COMPLETED = "completed"
    EARLY_STOPPING = "early_stopping"
    TIME_LIMIT = "time_limit"
    CANCELLED = "cancelled"
    NAN_LOSS = "nan_loss"


class Task(StrEnum):
    """What the network learns; follows from the target unless given."""

    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"


class ColumnType(StrEnum):
    """What the values of a column are."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    TEXT = "text"
    DATETIME = "datetime"


class DatasetStatus(StrEnum):
    """Small tables are ready at once; a worker reads large ones."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class WebhookStatus(StrEnum):
    """Waiting for the run's end or for the next attempt, or over."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
