"""Check the worker tags of a spec, because a run without a worker would wait for ever."""

from collections.abc import Collection, Sequence

from core.errors import InvalidSpec, raise_any
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer

_NONE = (
    "start a worker with FITSERVE_WORKER_TAGS, or name the tags of future workers in "
    "this setting of the API"
)


def refuse_unknown_tags(
    wanted: Sequence[str], workers: Sequence[Collection[str]]
) -> None:
    """Raise InvalidSpec unless one worker has all the tags.

    Args:
        wanted: the tags of the spec.
        workers: the tags of each known worker.

    """
    if not wanted or any(set(wanted) <= set(tags) for tags in workers):
        return
    known = sorted({tag for tags in workers for tag in tags})
    errors = [
        FieldError(
            pointer=pointer("worker_tags", i),
            detail=f"no worker with the tag {tag!r} was seen within an hour",
            hint=did_you_mean(tag, known) or _NONE,
        )
        for i, tag in enumerate(wanted)
        if tag not in known
    ]
    raise_any(InvalidSpec, errors or [_apart(workers)])


def _apart(workers: Sequence[Collection[str]]) -> FieldError:
    """Return the error for tags that only several workers have together."""
    shown = "; ".join(", ".join(sorted(tags)) for tags in workers if tags)
    return FieldError(
        pointer=pointer("worker_tags"),
        detail="no worker that was seen within an hour has all of these tags",
        hint=f"the tags of workers: {shown}",
    )
