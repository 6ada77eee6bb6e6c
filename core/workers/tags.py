"""Tags of workers, such as `gpu`, as the database and the names of queues have them."""

from collections.abc import Collection, Iterable
from itertools import combinations

_MARK = "."


def joined(tags: Iterable[str]) -> str:
    """Return the tags as one text, sorted, with a dot between two: `gpu.large-memory`."""
    return _MARK.join(sorted(set(tags)))


def split(text: str) -> list[str]:
    """Return the tags of a text that `joined` made."""
    return text.split(_MARK) if text else []


def subsets(tags: Collection[str]) -> list[str]:
    """Return every choice of the tags as `joined` writes it, first the empty one.

    A worker can train the runs whose tags are one of these.
    """
    names = sorted(set(tags))
    sizes = range(len(names) + 1)
    return [joined(some) for size in sizes for some in combinations(names, size)]
