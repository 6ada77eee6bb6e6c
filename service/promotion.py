"""Check a promotion that a request asks for, before its transaction."""

from dataclasses import dataclass

from core.keys.caller import Caller
from core.models.judge import Entry, Judge
from core.models.promotion import refuse_broken_by
from core.models.repository import ModelRepository
from core.models.requirements import parse
from fitserve.schemas.models import AliasUpdate
from service.predictor.version_resolver import ModelRef
from service.services import Services


@dataclass(frozen=True)
class Move:
    """The request to point an alias, or what serves for None, at a version."""

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
    """Check that a version may replace the present one of a pointer.

    Returns the id of the present version, which must not change before the pointer moves.
    Raises ContractBroken, and with `require` RequirementNotMet with both figures,
    CannotScore and InvalidRequirement.
    """
    update = move.update
    with services.database.read() as session:
        models = ModelRepository(session, move.workspace)
        version = models.version(move.name, update.version)
        if not update.allow_new_contract:
            refuse_broken_by(models, move.name, move.alias, update.version)
        present = models.pointed(move.name, move.alias)
        if not update.require:
            return present.id if present is not None else None
        requirements = parse(update.require, version.signature.task)
        candidate = Entry.of(session, version)
        rival = Entry.of(session, present) if present is not None else None

    judge = Judge(services.storage, load=services.predictor.network)
    judge.check(requirements, candidate, rival)
    return present.id if present is not None else None
