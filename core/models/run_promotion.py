"""Promote the version of a run at its end, by the run's spec and the model's rules."""

import logging
from dataclasses import dataclass

from core.database.sessions import Database
from core.errors import ContractBroken, FitserveError, RequirementNotMet
from core.models.cause import Cause
from core.models.judge import Entry, Judge
from core.models.promotion import refuse_broken_by
from core.models.repository import ModelRepository
from core.models.requirements import Requirement, parse
from core.models.tables import Version
from core.runs.tables import Run
from core.storage import Storage
from fitserve.enums import Promotion
from fitserve.specs.promotion import PromotionSpec

log = logging.getLogger(__name__)

WHEN = ("promotion", "when")
"""The place of the requirements in a spec."""
_TURNS = 3
"""How often a version is scored if other runs move the pointer meanwhile."""


@dataclass(frozen=True)
class Verdict:
    """Whether a version meets the requirements of its run's spec.

    Args:
        present: the id of the version that it was compared with, if any.
        refusal: the reason why it must not be promoted, if any.

    """

    present: str | None = None
    refusal: str | None = None


def judge(
    database: Database, storage: Storage, run: Run, version: Version
) -> Verdict | None:
    """Score a version that is not stored yet, if the spec of its run has requirements.

    It reads tables, so it must not run in the transaction that ends the run. It raises no
    error: a version that cannot be scored is not promoted.
    """
    asked = run.spec.promotion
    if asked is None or isinstance(asked.when, str) or not version.is_whole:
        return None
    required = parse(asked.when, version.signature.task, WHEN)
    verdict = _judged(database, storage, run, version, required)
    for _ in range(_TURNS - 1):
        with database.read() as session:
            present = _present(ModelRepository(session, run.workspace), run, asked)
        if verdict.present == (present.id if present is not None else None):
            break
        verdict = _judged(database, storage, run, version, required)
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
            models = ModelRepository(session, run.workspace)
            present = _present(models, run, run.spec.promotion)
            present_id = present.id if present is not None else None
            rival = Entry.of(session, present) if present is not None else None
            own = Entry.of(session, version, "this version")
        Judge(storage, WHEN).check(required, own, rival)
    except RequirementNotMet as error:
        details = "; ".join(line.detail for line in error.errors)
        return Verdict(present_id, details)
    except FitserveError as error:
        return Verdict(present_id, f"it cannot be scored: {error.detail}")
    except Exception as error:
        log.exception("run %s: its version cannot be scored", run.id)
        reason = f"it cannot be scored ({type(error).__name__}: {str(error)[:200]})"
        return Verdict(present_id, reason)
    return Verdict(present_id)


def _present(
    models: ModelRepository, run: Run, asked: PromotionSpec | None
) -> Version | None:
    """Return the version of the pointer that the spec moves, if there is one."""
    alias = asked.alias if asked is not None else None
    if not models.pointers([run.model_name]):  # no such model yet
        return None
    return models.pointed(run.model_name, alias)


def promote_at_end(
    models: ModelRepository, run: Run, version: Version, verdict: Verdict | None
) -> list[str]:
    """Move the pointers that the stored version of a run may move; return warnings.

    The first version of a model already serves. A cancelled run moves nothing else.
    """
    if not version.is_whole:
        return []
    asked, warnings = run.spec.promotion, []
    if asked is None or asked.alias is not None:
        warnings += _by_rule_of_model(models, run, version)
    if asked is not None:
        stays = _by_spec(models, run, version, asked, verdict)
        warnings += _with_serving(models, version, asked.alias, stays)
    return warnings


def _with_serving(
    models: ModelRepository, version: Version, alias: str | None, stays: list[str]
) -> list[str]:
    """Add to the warning that an alias was not moved what happened to what serves."""
    if alias is None or models.serving(version.model_name).id != version.id:
        return stays
    serves = f"version {version.number} serves requests that name no alias"
    return [f"{warning.removesuffix('.')}; {serves}" for warning in stays]


def _by_rule_of_model(models: ModelRepository, run: Run, version: Version) -> list[str]:
    """Let the version serve if the rules of its model allow that."""
    name = run.model_name
    model, serving = models.get(name), models.serving(name)
    if serving.id == version.id:
        return []
    if model.follows_newest:
        why = "the model follows its newest version"
        models.point(name, None, version.number, Cause.run(run.id, why))
        return []
    if model.promotion == Promotion.EXPLICIT and serving.is_whole:
        return []
    return _if_contract_holds(models, run, version, None)


def _by_spec(
    models: ModelRepository,
    run: Run,
    version: Version,
    asked: PromotionSpec,
    verdict: Verdict | None,
) -> list[str]:
    """Move the pointer that the spec names, on its condition."""
    if asked.when == "never":
        return []
    present = models.pointed(run.model_name, asked.alias)
    if verdict is not None and present is not version:
        refusal = verdict.refusal
        if verdict.present != (present.id if present is not None else None):
            refusal = "another version was promoted while this one was scored"
        if refusal is not None:
            return [_stays(version, asked.alias, present, refusal)]
    if asked.allow_new_contract:
        cause = Cause.run(run.id, f"promotion of {run.id}")
        models.point(run.model_name, asked.alias, version.number, cause)
        return []
    return _if_contract_holds(models, run, version, asked.alias)


def _if_contract_holds(
    models: ModelRepository, run: Run, version: Version, alias: str | None
) -> list[str]:
    """Move a pointer unless that breaks callers; return a warning then."""
    name, present = run.model_name, models.pointed(run.model_name, alias)
    if present is not None and present.is_whole:
        try:
            refuse_broken_by(models, name, alias, version.number)
        except ContractBroken as error:
            return [_stays(version, alias, present, error.detail)]
    cause = Cause.run(run.id, f"promotion of {run.id}")
    models.point(name, alias, version.number, cause)
    return []


def _stays(version: Version, alias: str | None, present: Version | None, why: str) -> str:
    """Return the warning that a pointer was not moved."""
    number = version.number
    if present is None:
        return f"the alias {alias!r} was not set to version {number}: {why}"
    if alias is None:
        return f"version {present.number} keeps serving, not version {number}: {why}"
    at = f"stays at version {present.number}"
    return f"the alias {alias!r} {at}, not version {number}: {why}"
