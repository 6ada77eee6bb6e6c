"""Check whether this process can serve, for every protocol."""

from core.errors import FitserveError
from core.health.health import Health
from core.health.parts import State
from fitserve.problem_types import ProblemType
from fitserve.problems import Problem
from fitserve.schemas.health import NotReadyProblem, PartRead, Readiness


class NotReady(FitserveError):
    """A part that every request needs has failed."""

    problem_type = ProblemType.NOT_READY

    def __init__(self, parts: dict[str, PartRead]) -> None:
        faults = [f"{n}: {p.detail}" for n, p in parts.items() if p.status == "failed"]
        super().__init__(" ".join(faults))
        self._parts = parts

    def problem(self) -> Problem:
        """Return the problem with the state of every part."""
        return NotReadyProblem(**super().problem().model_dump(), parts=self._parts)


async def readiness(health: Health) -> Readiness:
    """Return the state of every part; raise NotReady if one has failed."""
    parts = {
        name: PartRead(status=part.state.value, detail=part.detail)
        for name, part in (await health.look()).items()
    }
    states = {part.status for part in parts.values()}
    if State.FAILED in states:
        raise NotReady(parts)
    status = "degraded" if State.DEGRADED in states else "ready"
    return Readiness(status=status, parts=parts)
