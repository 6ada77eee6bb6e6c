"""One class for each type of column. Only this package decides what a cell means."""

from core.columns.base import ColumnKind
from core.columns.boolean import Boolean
from core.columns.categorical import Categorical, Text
from core.columns.datetimes import Datetime
from core.columns.earlier import (
    EarlierBoolean,
    EarlierCategorical,
    EarlierNumeric,
    EarlierText,
)
from core.columns.numeric import Numeric
from fitserve.enums import ColumnType

KINDS: tuple[ColumnKind, ...] = (Boolean(), Numeric(), Datetime(), Categorical(), Text())
"""Every type, in the order in which the types are tried on a column."""

READING = 2
"""The version of the rules that read a cell; a model stores the version it uses."""

_EARLIER = (EarlierNumeric(), EarlierBoolean(), EarlierCategorical(), EarlierText())
_BY_TYPE = {
    2: {kind.type: kind for kind in KINDS},
    1: {kind.type: kind for kind in (*KINDS, *_EARLIER)},
}


def kind_of(column_type: ColumnType | str, reading: int = READING) -> ColumnKind:
    """Return the class that reads a type of column in a version of the rules."""
    return _BY_TYPE[reading][ColumnType(column_type)]
