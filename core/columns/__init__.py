"""The types of columns, a class each: only here is it decided what a cell means."""

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
from fitserve.statuses import ColumnType

KINDS: tuple[ColumnKind, ...] = (Boolean(), Numeric(), Datetime(), Categorical(), Text())
"""Every type, in the order in which a column is tried."""

READING = 2
"""The version of the reading; a model keeps the one that it was trained with."""

_EARLIER = (EarlierNumeric(), EarlierBoolean(), EarlierCategorical(), EarlierText())
_BY_TYPE = {
    2: {kind.type: kind for kind in KINDS},
    1: {kind.type: kind for kind in (*KINDS, *_EARLIER)},
}


def kind_of(column_type: ColumnType | str, reading: int = READING) -> ColumnKind:
    """Return the class of a type of column, as a version of the reading has it."""
    return _BY_TYPE[reading][ColumnType(column_type)]
