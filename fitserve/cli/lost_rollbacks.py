"""Say which rollbacks need a version that is to be deleted."""

from collections.abc import Sequence
from contextlib import suppress

from fitserve.client import ApiError, Client
from fitserve.schemas.models import ChangeRead


def lost_rollbacks(client: Client, name: str, version: int) -> str:
    """Return which rollbacks would go back to a version; "" if none would."""
    with suppress(ApiError):  # the key may delete models and not read them
        needed = _undoable(list(client.models.changes(name)), version)
        if needed:
            served = [_place(alias) for alias in needed]
            return f" ({'; '.join(served)}; no rollback can go back to a deleted version)"
    return ""


def _undoable(changes: Sequence[ChangeRead], version: int) -> list[str | None]:
    """Return what a rollback would move back to a version; None is what serves."""
    undone = {change.undoes for change in changes}
    open_changes = [c for c in changes if c.undoes is None and c.number not in undone]
    found = [change.alias for change in open_changes if change.before == version]
    return list(dict.fromkeys(found))


def _place(alias: str | None) -> str:
    return "it served before" if alias is None else f"the alias {alias!r} pointed to it"
