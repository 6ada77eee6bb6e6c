"""What the doctor finds: how a thing is, and how to mend it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.health.parts import Part, State


class Verdict(StrEnum):
    """`failed`: the service cannot work so. `warning`: it can, for now or in part."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""


Examination = Callable[[], Finding]


def ok(name: str, detail: str) -> Finding:
    """Nothing to mend."""
    return Finding(name, Verdict.OK, detail)


def warning(name: str, detail: str, mend: str) -> Finding:
    """Worth mending."""
    return Finding(name, Verdict.WARNING, detail, mend)


def failed(name: str, detail: str, mend: str) -> Finding:
    """To be mended."""
    return Finding(name, Verdict.FAILED, detail, mend)


def of_part(name: str, part: Part, mend: str) -> Finding:
    """A part of the service, as readiness sees it."""
    if part.state == State.OK:
        return ok(name, part.detail)
    make = failed if part.state == State.FAILED else warning
    return make(name, part.detail, mend)
