"""Convert rows of models and versions to the API's schemas."""

from collections.abc import Sequence

from core.models.tables import Alias, Model, Version
from fitserve.schemas.models import ArtifactRead, ModelRead, VersionRead


def model_to_schema(
    model: Model, versions: Sequence[Version], aliases: Sequence[Alias], newest: Version
) -> ModelRead:
    """Convert a model to its schema; `newest` is the default version."""
    return ModelRead(
        name=model.name,
        latest_version=newest.number,
        versions=[version.number for version in versions],
        aliases={alias.name: alias.version.number for alias in aliases},
        headline=newest.headline,
        main_figure=newest.main_figure,
        created_at=model.created_at,
    )


def version_to_schema(version: Version, aliases: Sequence[Alias]) -> VersionRead:
    """Convert a version to its schema."""
    return VersionRead(
        model_name=version.model_name,
        version=version.number,
        run_id=version.run_id,
        task=version.signature.task,
        target=version.signature.target,
        aliases=[alias.name for alias in aliases if alias.version_id == version.id],
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
