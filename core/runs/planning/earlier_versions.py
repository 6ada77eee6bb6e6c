"""What a run's version would stand beside under its model's name."""

from core.errors import ModelNotFound
from core.models.repository import ModelRepository
from core.runs.planning.resolver import Resolved


def other_purpose(models: ModelRepository, resolved: Resolved) -> list[str]:
    """A warning if the newest version predicts another column, or as another task."""
    spec = resolved.spec
    name = spec.model_name
    try:
        newest = models.newest(name)
    except ModelNotFound:
        return []
    known = newest.signature
    if (known.target, known.task) == (spec.target, spec.task):
        return []
    warning = (
        f"version {newest.number} of the model {name!r} predicts {known.target!r} "
        f"({known.task}); this run becomes the next version and predicts "
        f"{spec.target!r} ({spec.task}), which whoever asks {name!r} for predictions "
        "gets from then on: set `model_name` to keep them apart"
    )
    return [warning]
