"""Schemas of the readiness check."""

from typing import Literal

from pydantic import BaseModel

from fitserve.problems import Problem


class PartRead(BaseModel):
    """State of one part of the service."""

    status: Literal["ok", "degraded", "failed"]
    detail: str


class Readiness(BaseModel):
    """Readiness of the service; `degraded` if a part failed but requests are served."""

    status: Literal["ready", "degraded"]
    parts: dict[str, PartRead]


class NotReadyProblem(Problem):
    """The problem `not-ready`, with the state of every part."""

    parts: dict[str, PartRead]
