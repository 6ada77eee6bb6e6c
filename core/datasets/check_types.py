"""Refuse given types of columns that a table does not have."""

from collections.abc import Iterable

from core.errors import InvalidTable
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer


def check_types(names: Iterable[str], types: Iterable[str]) -> None:
    """Raise InvalidTable if `types` names a column that the table does not have."""
    known = list(names)
    unknown = [name for name in types if name not in known]
    if not unknown:
        return
    errors = [
        FieldError(
            pointer=pointer("types", name),
            detail=f"the table has no column {name!r}",
            hint=did_you_mean(name, known),
        )
        for name in unknown
    ]
    raise InvalidTable(f"`types` names an unknown column: {unknown[0]!r}.", errors)
