"""Convert rows of versions and changes to the API's schemas."""

from collections.abc import Sequence

from core.models.tables import Alias, ModelChange, Version
from fitserve.schemas.models import ArtifactRead, ChangeRead, VersionRead


def change_to_schema(change: ModelChange) -> ChangeRead:
    """Convert a change to its schema."""
    return ChangeRead(
        number=change.number,
        alias=change.alias,
        before=change.before,
        after=change.after,
        who=change.who,
        why=change.why,
        undoes=change.undoes,
        created_at=change.created_at,
    )


def version_to_schema(
    version: Version, aliases: Sequence[Alias], serving: Version
) -> VersionRead:
    """Convert a version to its schema; `serving` is the serving version of its model."""
    return VersionRead(
        model_name=version.model_name,
        version=version.number,
        run_id=version.run_id,
        task=version.signature.task,
        target=version.signature.target,
        aliases=[alias.name for alias in aliases if alias.version_id == version.id],
        serves=version.id == serving.id,
        metrics=version.metrics,
        headline=version.headline,
        main_figure=version.main_figure,
        best_epoch=version.best_epoch,
        num_params=sum(layer.params for layer in version.layers),
        layers=version.layers,
        # only the stored keys: earlier releases stored fewer
        signature=version.signature.model_dump(mode="json", exclude_unset=True),
        artifacts=[
            ArtifactRead(name=a.name, sha256=a.sha256, num_bytes=a.num_bytes)
            for a in version.artifacts
        ],
        created_at=version.created_at,
    )
