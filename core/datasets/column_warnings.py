"""The warnings about a column, each with its kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fitserve.enums import WarningKind
from fitserve.schemas.datasets import ColumnRead


@dataclass(frozen=True)
class ColumnWarning:
    """A warning about a column, and what it is about."""

    kind: WarningKind
    text: str


def warnings_of(column: ColumnRead) -> list[ColumnWarning]:
    """Return the warnings about a stored column.

    Datasets of earlier releases have no kinds; two are known by the text.
    """
    kinds = column.warning_kinds or [_kind_of(column, text) for text in column.warnings]
    pairs = zip(kinds, column.warnings, strict=True)
    return [ColumnWarning(kind, text) for kind, text in pairs]


def of_kind(kind: WarningKind, texts: Iterable[str]) -> list[ColumnWarning]:
    """Return warnings of one kind."""
    return [ColumnWarning(kind, text) for text in texts]


def _kind_of(column: ColumnRead, text: str) -> WarningKind:
    is_reason = column.left_out is not None and text.startswith(column.left_out)
    return WarningKind.LEFT_OUT if is_reason else WarningKind.READING
