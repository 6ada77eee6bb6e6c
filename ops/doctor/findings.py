"""Findings of `fitserve doctor`: a state, and how to fix it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.health.parts import Part, State


class Verdict(StrEnum):
    """`failed`: the service cannot work. `warning`: the service works, but not fully."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """The result of one check; `mend` is the instruction that fixes a fault."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""


Check = Callable[[], Finding]


def ok(name: str, detail: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(name, Verdict.OK, detail)


def warning(name: str, detail: str, fix: str) -> Finding:
    """Return a finding that should be fixed."""
    return Finding(name, Verdict.WARNING, detail, fix)


def failed(name: str, detail: str, fix: str) -> Finding:
    """Return a finding that must be fixed."""
    return Finding(name, Verdict.FAILED, detail, fix)


def of_part(name: str, part: Part, fix: str) -> Finding:
    """Return the finding for a part of the service, as readiness checks it."""
    if part.state == State.OK:
        return ok(name, part.detail)
    make = failed if part.state == State.FAILED else warning
    return make(name, part.detail, fix)
