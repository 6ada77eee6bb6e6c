"""Guess which column of a table a user wants to predict."""

import re
from collections.abc import Iterable

from core.columns import kind_of
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnRead

_MOST_CLASSES = 20
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_PREFIXES = ("is", "has", "was")
_NAMES = frozenset(
    {
        *("target", "label", "class", "outcome", "response", "y"),
        *("price", "sale price", "sales price", "selling price", "purchase"),
        *("salary", "wage"),
    }
)
"""Names of targets, if they are the whole name of a column."""
_COORDINATES = {"x", "y", "z"}
_WORDS = frozenset(
    {
        *("approved", "attrition", "bought", "canceled", "cancelled", "churn", "churned"),
        *("clicked", "converted", "default", "defaulted", "denied", "deny", "diagnosis"),
        *("died", "exited", "fraud", "fraudulent", "purchased", "readmitted", "spam"),
        *("subscribed", "survived", "target"),
    }
)
"""Words in the names of classes to predict."""


def suggested_target(columns: Iterable[ColumnRead]) -> str | None:
    """Return the column that is probably the target; None if no column can be one.

    A column whose name is usual for a target comes first, then the last column. A `y`
    between an `x` and a `z` is a coordinate.
    """
    names = {column.name: column for column in columns if _can_be_target(column)}
    if names.keys() >= _COORDINATES:
        del names["y"]
    for is_usual in (_has_usual_name, _has_usual_word):
        usual = [name for name, column in names.items() if is_usual(column)]
        if usual:
            return usual[-1]
    return next(reversed(names), None)


def _can_be_target(column: ColumnRead) -> bool:
    """Return whether runs accept the column as a target, and use it by default."""
    is_learned = kind_of(column.type).task is not None and column.type != ColumnType.TEXT
    return is_learned and column.left_out is None and column.unique >= 2


def _has_usual_name(column: ColumnRead) -> bool:
    return " ".join(_words(column)) in _NAMES


def _has_usual_word(column: ColumnRead) -> bool:
    return column.unique <= _MOST_CLASSES and not _WORDS.isdisjoint(_words(column))


def _words(column: ColumnRead) -> list[str]:
    words = [word.casefold() for word in _WORD.findall(column.name)]
    return words[1:] if words[:1] and words[0] in _PREFIXES else words
