"""What a part of the service looks like when it is looked at."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Degraded: something waits or is near its end, and yet requests are answered."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True)
class Part:
    """One part, and a sentence about it that names no host, path or secret."""

    state: State
    detail: str


def ok(detail: str) -> Part:
    """All is well."""
    return Part(State.OK, detail)


def degraded(detail: str) -> Part:
    """Requests are answered, something else is not as it should be."""
    return Part(State.DEGRADED, detail)


def failed(detail: str) -> Part:
    """Without it no request can be served well."""
    return Part(State.FAILED, detail)
