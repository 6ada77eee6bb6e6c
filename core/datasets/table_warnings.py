"""The warnings about a dataset and its columns, each with its kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fitserve.enums import WarningKind
from fitserve.schemas.datasets import ColumnRead


@dataclass(frozen=True)
class TableWarning:
    """A warning about a dataset or a column, and what it is about."""

    kind: WarningKind
    text: str


def warnings_of(column: ColumnRead) -> list[TableWarning]:
    """Return the warnings about a stored column.

    Datasets of earlier releases have no kinds; two are known by the text.
    """
    kinds = column.warning_kinds or [_kind_of(column, text) for text in column.warnings]
    pairs = zip(kinds, column.warnings, strict=True)
    return [TableWarning(kind, text) for kind, text in pairs]


def of_kind(kind: WarningKind, texts: Iterable[str]) -> list[TableWarning]:
    """Return warnings of one kind."""
    return [TableWarning(kind, text) for text in texts]


def to_json(warnings: Iterable[TableWarning]) -> dict[str, list[str]]:
    """Return the texts and the kinds of warnings, as a row of a dataset stores them."""
    found = list(warnings)
    return {
        "warnings": [warning.text for warning in found],
        "warning_kinds": [warning.kind for warning in found],
    }


def _kind_of(column: ColumnRead, text: str) -> WarningKind:
    is_reason = column.left_out is not None and text.startswith(column.left_out)
    return WarningKind.LEFT_OUT if is_reason else WarningKind.READING
