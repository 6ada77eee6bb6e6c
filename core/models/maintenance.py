"""Every query of workers and the janitor about models, in all workspaces."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models.tables import Artifact, Version


def artifact_keys(session: Session, run_ids: Collection[str]) -> set[str]:
    """The storage keys of what these runs left."""
    query = select(Artifact.key).join(Version, Version.id == Artifact.version_id)
    return set(session.scalars(query.where(Version.run_id.in_(run_ids))))


def add_artifact(session: Session, artifact: Artifact) -> None:
    """Store one more file of a version; its name must be new there."""
    session.add(artifact)
    session.flush()
