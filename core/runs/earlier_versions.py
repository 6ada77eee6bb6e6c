"""What a run's version would stand beside under its model's name."""

from core.errors import ModelNotFound
from core.models.repository import ModelRepository
from core.runs.resolve import Resolved


def other_purpose(models: ModelRepository, resolved: Resolved) -> list[str]:
    """A warning if the newest version predicts another column, or as another task."""
    create, task = resolved.create, resolved.target.task
    name = create.model_name
    assert name is not None  # noqa: S101  resolved
    try:
        newest = models.newest(name)
    except ModelNotFound:
        return []
    target, known_task = (newest.signature.get(key) for key in ("target", "task"))
    if (target, known_task) == (create.target, task):
        return []
    warning = (
        f"version {newest.number} of the model {name!r} predicts {target!r} "
        f"({known_task}); this run becomes the next version and predicts "
        f"{create.target!r} ({task}), which whoever asks {name!r} for predictions gets "
        "from then on: set `model_name` to keep them apart"
    )
    return [warning]
