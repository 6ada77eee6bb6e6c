"""Delete versions and models with their files."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from core.database.sessions import after_commit
from core.errors import VersionInUse
from core.models.cause import Cause
from core.models.repository import ModelRepository
from core.models.tables import Alias, Version, newest_of
from core.runs.tables import Run
from core.storage import Storage, discard


def delete_version(
    session: Session, storage: Storage, workspace: str, name: str, number: int
) -> None:
    """Delete a version, and its model if no version is left.

    The number is not used again. Raises ModelNotFound, VersionNotFound, and VersionInUse
    while an alias points to the version, or while it serves and the model has others.
    """
    models = ModelRepository(session, workspace)
    models.lock(name)
    version = models.version(name, number)
    aliases = [a for a in models.aliases(name) if a.version_id == version.id]
    _refuse_aliased(name, aliases)
    _release(models, version)
    _delete(session, models, storage, [version])


def _release(models: ModelRepository, version: Version) -> None:
    """Let another version serve, if this one serves and the model follows the newest.

    Raises VersionInUse if it serves, the model has other versions, and does not follow
    the newest.
    """
    name = version.model_name
    others = [v for v in models.versions(name) if v.id != version.id]
    if not others or models.serving(name).id != version.id:
        return
    if not models.get(name).follows_newest:
        raise VersionInUse(
            f"Version {version.number} of {name!r} serves the requests that name neither "
            "a version nor an alias. Let another version serve first, with `fitserve "
            f"models promote {name} {others[0].number}` or PUT /v1/models/{name}/serving."
        )
    cause = Cause("the service", f"version {version.number} was deleted")
    models.point(name, None, newest_of(others).number, cause)


def delete_model(session: Session, storage: Storage, workspace: str, name: str) -> None:
    """Delete a model with its versions; raise ModelNotFound or VersionInUse."""
    models = ModelRepository(session, workspace)
    models.lock(name)
    models.get(name)
    _refuse_aliased(name, models.aliases(name))
    _delete(session, models, storage, models.versions(name))


def _refuse_aliased(name: str, aliases: Sequence[Alias]) -> None:
    if aliases:
        pointing = ", ".join(f"{a.name!r} to {a.version.number}" for a in aliases[:10])
        raise VersionInUse(
            f"Aliases point to versions of {name!r} ({pointing}). Move them, or remove "
            f"them with `fitserve models delete {name} --alias {aliases[0].name}` or "
            f"DELETE /v1/models/{name}/aliases/{aliases[0].name}."
        )


def _delete(
    session: Session,
    models: ModelRepository,
    storage: Storage,
    versions: Sequence[Version],
) -> None:
    for version in versions:
        split_key = session.get_one(Run, version.run_id).split_key
        files = [artifact.key for artifact in version.artifacts]
        if split_key is not None:
            files.append(split_key)
        after_commit(session, partial(discard, storage, files))
        models.delete(version)
