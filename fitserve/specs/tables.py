"""Tables keyed by the names that a spec may use, and the check that they are complete."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

T = TypeVar("T")


def by_type(union: Any) -> dict[str, Any]:
    """Return the classes of a union by their `type`."""
    inner = get_args(union)[0] if get_origin(union) is Annotated else union
    return {
        get_args(kind.model_fields["type"].annotation)[0]: kind
        for kind in get_args(inner)
    }


def complete(part: str, table: Mapping[str, T], names: Iterable[str]) -> Mapping[str, T]:
    """Return the table; raise LookupError if it lacks an entry for one of the names.

    The error says that `part` is missing for these names.
    """
    missing = [name for name in sorted(names) if name not in table]
    if missing:
        raise LookupError(f"{part} is missing for {', '.join(missing)}")
    return table
