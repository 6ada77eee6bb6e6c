"""Enumerations of the schemas."""

from enum import StrEnum


class RunStatus(StrEnum):
    """Status of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunView(StrEnum):
    """The amount of information about each run of a list."""

    FULL = "full"
    SUMMARY = "summary"


TERMINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})


class StopReason(StrEnum):
    """Reason why the training of a run stopped."""

    COMPLETED = "completed"
    EARLY_STOPPING = "early_stopping"
    TIME_LIMIT = "time_limit"
    CANCELLED = "cancelled"
    NAN_LOSS = "nan_loss"


class Task(StrEnum):
    """Kind of prediction; by default derived from the target."""

    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"


class ColumnType(StrEnum):
    """Type of the values of a column."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    TEXT = "text"
    DATETIME = "datetime"


class Promotion(StrEnum):
    """Whether the end of a run may change the serving version without a request."""

    AUTOMATIC = "automatic"
    EXPLICIT = "explicit"


class WarningKind(StrEnum):
    """The subject of a warning about a dataset or a column."""

    READING = "reading"  # how its cells were read
    NULL_WORDS = "null_words"  # words that count as missing, and may be values
    ALIKE = "alike"  # categories that are probably the same
    APPENDED = "appended"  # what differs in the rows of an append
    REPEATED = "repeated"  # most rows of an append are already there
    SPELLINGS = "spellings"  # words that are read as one value
    LEFT_OUT = "left_out"  # why runs do not use the column

    @property
    def is_note(self) -> bool:
        """Return whether it is information, about which nobody has to do anything."""
        return self in _NOTES


_NOTES = (WarningKind.APPENDED, WarningKind.SPELLINGS, WarningKind.LEFT_OUT)


class DatasetStatus(StrEnum):
    """Status of a dataset; `processing` while a worker reads a large table."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class WebhookStatus(StrEnum):
    """Delivery status; `waiting` for the end of the run or for the next attempt."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
