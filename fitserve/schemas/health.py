"""The wire form of readiness."""

from typing import Literal

from pydantic import BaseModel

from fitserve.problems import Problem


class PartRead(BaseModel):
    """How one part of the service is."""

    status: Literal["ok", "degraded", "failed"]
    detail: str


class Readiness(BaseModel):
    """A service that answers; `degraded` where a part of it is not as it should be."""

    status: Literal["ready", "degraded"]
    parts: dict[str, PartRead]


class NotReadyProblem(Problem):
    """The problem of a service that cannot serve, with every part of it."""

    parts: dict[str, PartRead]
