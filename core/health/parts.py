"""The state of a part of the service."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Degraded means that requests are answered, but work waits or disk space is low."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True)
class Part:
    """The state of one part, and a sentence that names no host, path or secret."""

    state: State
    detail: str


def ok(detail: str) -> Part:
    """Return a part without a fault."""
    return Part(State.OK, detail)


def degraded(detail: str) -> Part:
    """Return a part with a fault despite which requests are answered."""
    return Part(State.DEGRADED, detail)


def failed(detail: str) -> Part:
    """Return a part with a fault that affects every request."""
    return Part(State.FAILED, detail)
