"""Promote the version of a run at its end, by the run's spec and the model's rules.

Where an alias may be None, None stands for the serving version.
"""

import logging
from dataclasses import dataclass

from core.database.sessions import Database
from core.errors import (
    ContractBroken,
    FitserveError,
    RequirementNotMet,
    StorageUnavailable,
)
from core.models.cause import Cause
from core.models.judge import Judge, VersionToScore
from core.models.promotion import refuse_breaking_version
from core.models.repository import ModelRepository
from core.models.requirements import Requirement, parse
from core.models.tables import Version
from core.runs.tables import Run
from core.storage import Storage
from fitserve.enums import Promotion
from fitserve.specs.promotion import PromotionSpec

log = logging.getLogger(__name__)

WHEN = ("promotion", "when")
"""The path of the requirements in a spec."""
_MOST_TRIES = 3
"""How often a version is scored, if another version is promoted meanwhile."""


@dataclass(frozen=True)
class Verdict:
    """Whether a version meets the requirements of its run's spec.

    Args:
        present: the id of the version that it was compared with, if any.
        refusal: the reason why it must not be promoted, if any.

    """

    present: str | None = None
    refusal: str | None = None


def judge_at_end(
    database: Database, storage: Storage, run: Run, version: Version
) -> Verdict | None:
    """Score a version that is not stored yet, if the spec of its run has requirements.

    This reads tables, so call it before the transaction that ends the run. It raises only
    StorageUnavailable: a version that cannot be scored is not promoted.
    """
    asked = run.spec.promotion
    if asked is None or isinstance(asked.when, str) or not version.is_whole:
        return None
    required = parse(asked.when, version.signature.task, WHEN)
    for _ in range(_MOST_TRIES):
        verdict = _judged(database, storage, run, version, required)
        with database.read() as session:
            present = _present(ModelRepository(session, run.workspace), run)
        if verdict.present == (present.id if present is not None else None):
            break
    return verdict


def _judged(
    database: Database,
    storage: Storage,
    run: Run,
    version: Version,
    required: list[Requirement],
) -> Verdict:
    present_id = None
    try:
        with database.read() as session:
            present = _present(ModelRepository(session, run.workspace), run)
            present_id = present.id if present is not None else None
            rival = None if present is None else VersionToScore.of(session, present)
            own = VersionToScore.of(session, version, "this version")
        Judge(storage, WHEN).check(required, own, rival)
    except RequirementNotMet as error:
        details = "; ".join(line.detail for line in error.errors)
        return Verdict(present_id, details)
    except StorageUnavailable:  # the run waits until its version can be scored
        raise
    except FitserveError as error:
        return Verdict(present_id, f"it cannot be scored: {error.detail}")
    except Exception as error:
        log.exception("run %s: its version cannot be scored", run.id)
        reason = f"it cannot be scored ({type(error).__name__}: {str(error)[:200]})"
        return Verdict(present_id, reason)
    return Verdict(present_id)


def _present(models: ModelRepository, run: Run) -> Version | None:
    """Return the version that the version of the run would replace, if there is one."""
    asked = run.spec.promotion
    if not models.pointers([run.model_name]):  # no such model yet
        return None
    return models.pointed(run.model_name, asked.alias if asked is not None else None)


def promote_at_end(
    models: ModelRepository, run: Run, version: Version, verdict: Verdict | None
) -> list[str]:
    """Promote the stored version of a run where that is allowed; return warnings.

    The first version of a model already serves. Apart from that, the version of a
    cancelled run is not promoted.
    """
    if not version.is_whole:
        return []
    promotion = _Promotion(models, run, version)
    asked, warnings = run.spec.promotion, []
    if asked is None or asked.alias is not None:
        warnings += promotion.by_rule_of_model()
    if asked is not None:
        stays = promotion.by_spec(asked, verdict)
        warnings += promotion.with_serving(asked.alias, stays)
    return warnings


@dataclass(frozen=True)
class _Promotion:
    """The promotion of the stored version of a run, in the transaction that ends it.

    Each method returns the warnings about what was not moved.
    """

    models: ModelRepository
    run: Run
    version: Version

    def by_rule_of_model(self) -> list[str]:
        """Let the version serve if the rules of its model allow that."""
        name = self.run.model_name
        model, serving = self.models.get(name), self.models.serving(name)
        if serving.id == self.version.id:
            return []
        if model.follows_newest:
            self._point(None, "the model follows its newest version")
            return []
        if model.promotion == Promotion.EXPLICIT and serving.is_whole:
            return []
        return self._if_contract_holds(None)

    def by_spec(self, asked: PromotionSpec, verdict: Verdict | None) -> list[str]:
        """Point the alias of the spec at the version, on the condition of the spec."""
        if asked.when == "never":
            return []
        name = self.run.model_name
        present = self.models.pointed(name, asked.alias)
        if verdict is not None and present is not self.version:
            refusal = verdict.refusal
            if verdict.present != self.models.pointed_id(name, asked.alias):
                refusal = "another version was promoted while this one was scored"
            if refusal is not None:
                return [self._stays(asked.alias, present, refusal)]
        if asked.allow_new_contract:
            self._point(asked.alias, f"promotion of {self.run.id}")
            return []
        return self._if_contract_holds(asked.alias)

    def with_serving(self, alias: str | None, warnings: list[str]) -> list[str]:
        """Add that the version serves to the warnings that an alias was not moved."""
        serving = self.models.serving(self.version.model_name)
        if alias is None or serving.id != self.version.id:
            return warnings
        serves = f"version {self.version.number} serves requests that name no alias"
        return [f"{warning.removesuffix('.')}; {serves}" for warning in warnings]

    def _if_contract_holds(self, alias: str | None) -> list[str]:
        """Point an alias at the version, unless that breaks callers."""
        name, number = self.run.model_name, self.version.number
        present = self.models.pointed(name, alias)
        if present is not None and present.is_whole:
            try:
                refuse_breaking_version(self.models, name, alias, number)
            except ContractBroken as error:
                return [self._stays(alias, present, error.detail)]
        self._point(alias, f"promotion of {self.run.id}")
        return []

    def _point(self, alias: str | None, why: str) -> None:
        cause = Cause.run(self.run.id, why)
        self.models.point(self.run.model_name, alias, self.version.number, cause)

    def _stays(self, alias: str | None, present: Version | None, why: str) -> str:
        """Return the warning that an alias was not moved to the version."""
        number = self.version.number
        if present is None:
            return f"the alias {alias!r} was not set to version {number}: {why}"
        if alias is None:
            return f"version {present.number} keeps serving, not version {number}: {why}"
        at = f"stays at version {present.number}"
        return f"the alias {alias!r} {at}, not version {number}: {why}"
