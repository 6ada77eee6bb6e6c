"""Check a promotion that a request asks for, before the transaction that makes it."""

from dataclasses import dataclass

from core.keys.caller import Caller
from core.models.judge import Judge, VersionToScore
from core.models.promotion import refuse_breaking_version
from core.models.repository import ModelRepository
from core.models.requirements import parse
from fitserve.schemas.models import AliasUpdate
from service.predictor.version_resolver import ModelRef
from service.services import Services


@dataclass(frozen=True)
class Move:
    """A request to point an alias at a version, or for None, to let the version serve."""

    caller: Caller
    name: str
    alias: str | None
    update: AliasUpdate

    @property
    def workspace(self) -> str:
        """Return the workspace of the model."""
        return self.caller.workspace

    @property
    def wanted(self) -> ModelRef:
        """Return the version to point at."""
        return ModelRef(self.workspace, self.name, version=self.update.version)


def check(services: Services, move: Move) -> str | None:
    """Check that the wanted version may replace the present one.

    Returns the id of the present version, which must not change before the move. Raises
    ContractBroken and, with `require`, RequirementNotMet with both figures, CannotScore
    and InvalidRequirement.
    """
    update = move.update
    with services.database.read() as session:
        models = ModelRepository(session, move.workspace)
        version = models.version(move.name, update.version)
        if not update.allow_new_contract:
            refuse_breaking_version(models, move.name, move.alias, update.version)
        present = models.pointed(move.name, move.alias)
        present_id = models.pointed_id(move.name, move.alias)
        if not update.require:
            return present_id
        requirements = parse(update.require, version.signature.task)
        candidate = VersionToScore.of(session, version)
        rival = None if present is None else VersionToScore.of(session, present)

    judge = Judge(services.storage, load=services.predictor.network)
    judge.check(requirements, candidate, rival)
    return present_id
