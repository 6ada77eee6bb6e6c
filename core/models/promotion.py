"""Move what serves, or an alias, to another version, and undo that."""

from dataclasses import replace

from core.errors import NothingToUndo, VersionNotFound
from core.models.cause import Cause
from core.models.contract import Contract, refuse_broken
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
    """Point an alias, or what serves for None, at a version by a decision of a user.

    Raises ModelNotFound, VersionNotFound, and ContractBroken unless a new contract is
    allowed.
    """
    models.lock(name)
    if not allow_new_contract:
        refuse_broken_by(models, name, alias, number)
    if alias is None:
        models.get(name).follows_newest = False
    return models.point(name, alias, number, cause)


def refuse_broken_by(
    models: ModelRepository, name: str, alias: str | None, number: int
) -> None:
    """Raise ContractBroken if a version breaks callers of the pointer's present one."""
    version, present = models.version(name, number), models.pointed(name, alias)
    if present is not None:
        old, new = Contract.of(present.signature), Contract.of(version.signature)
        refuse_broken(old, new, present.number, f"Version {number} of {name!r}", alias)


def undo(
    models: ModelRepository, name: str, alias: str | None, cause: Cause
) -> ModelChange:
    """Undo the last change of an alias, or of what serves for None; return the new one.

    Raises ModelNotFound, AliasNotFound, NothingToUndo.
    """
    models.lock(name)
    last = undoable(models, name, alias)
    why = cause.why if cause.why != Cause.BY_REQUEST else UNDO
    cause = replace(cause, why=why, undoes=last.number)
    if alias is None:
        models.get(name).follows_newest = False
    models.point(name, alias, last.before or 0, cause)
    return models.changes(name, limit=1)[0]


def undoable(models: ModelRepository, name: str, alias: str | None) -> ModelChange:
    """Return the change to undo.

    Raises ModelNotFound, AliasNotFound, NothingToUndo.
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
    try:
        models.version(name, last.before)
    except VersionNotFound as error:
        raise NothingToUndo(
            f"Change {last.number} moved {what} of {name!r} away from version "
            f"{last.before}, which was deleted since. Promote another version."
        ) from error
    return last
