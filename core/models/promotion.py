"""Point an alias at another version, or let another version serve; undo such changes.

Where an alias may be None, None stands for the serving version.
"""

from dataclasses import replace

from core.errors import NothingToUndo, VersionNotFound
from core.models.cause import Cause
from core.models.contract import Contract, refuse_breaking
from core.models.repository import ModelRepository
from core.models.tables import ModelChange, Version

UNDO = "undo"


def promote(
    models: ModelRepository,
    name: str,
    alias: str | None,
    number: int,
    cause: Cause,
    *,
    allow_new_contract: bool = False,
) -> Version:
    """Point an alias at a version, as a user decided.

    Raises ModelNotFound, VersionNotFound, and ContractBroken unless a new contract is
    allowed.
    """
    models.lock(name)
    if not allow_new_contract:
        refuse_breaking_version(models, name, alias, number)
    if alias is None:
        models.get(name).follows_newest = False
    return models.point(name, alias, number, cause)


def refuse_breaking_version(
    models: ModelRepository, name: str, alias: str | None, number: int
) -> None:
    """Raise ContractBroken if a version breaks callers of the alias's present version."""
    version, present = models.version(name, number), models.pointed(name, alias)
    if present is not None:
        old, new = Contract.of(present.signature), Contract.of(version.signature)
        refuse_breaking(old, new, present.number, f"Version {number} of {name!r}", alias)


def undo(
    models: ModelRepository,
    name: str,
    alias: str | None,
    cause: Cause,
    number: int | None = None,
) -> ModelChange:
    """Undo the last change of an alias; return the change that this makes.

    If `number` is given, only the change with this number is undone. Raises
    ModelNotFound, AliasNotFound, NothingToUndo.
    """
    models.lock(name)
    last = undoable(models, name, alias, number)
    why = cause.why if cause.why != Cause.BY_REQUEST else UNDO
    cause = replace(cause, why=why, undoes=last.number)
    if alias is None:
        models.get(name).follows_newest = False
    models.point(name, alias, last.before or 0, cause)
    return models.changes(name, limit=1)[0]


def undoable(
    models: ModelRepository, name: str, alias: str | None, number: int | None = None
) -> ModelChange:
    """Return the change of an alias that would be undone.

    Raises ModelNotFound and AliasNotFound. Raises NothingToUndo if there is no such
    change, or if `number` is given and the change has another number.
    """
    models.get(name)
    last = models.last_change(name, alias)
    what = f"the alias {alias!r}" if alias else "the serving version"
    if last is None:
        if alias is not None and not models.changes(name, limit=1, alias=alias):
            models.aliased(name, alias)  # it may be older than the history of changes
        raise NothingToUndo(f"No change of {what} of {name!r} is left to undo.")
    if last.before is None:
        raise NothingToUndo(
            f"{what} of {name!r} pointed at no version before version {last.after}."
        )
    if number not in (None, last.number):
        raise NothingToUndo(
            f"Got change {number}; expected change {last.number}, from version "
            f"{last.before} to version {last.after}, which is the next change of {what} "
            f"of {name!r} to undo. GET /v1/models/{name}/changes lists all changes."
        )
    try:
        models.version(name, last.before)
    except VersionNotFound as error:
        raise NothingToUndo(
            f"Change {last.number} moved {what} of {name!r} away from version "
            f"{last.before}, which was deleted since. Promote another version."
        ) from error
    return last
