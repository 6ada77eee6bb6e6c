"""Collect errors and warnings about the instances of a request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInstances
from fitserve.problems import FieldError

RowWarning = dict[str, Any]
MAX_ERRORS = 20
MAX_WARNINGS = 100
_MAX_IN_MESSAGE = 5
_STRICT = (
    "The request is strict, so warnings refuse it. Correct these cells, or send the "
    "request without strict."
)


@dataclass
class Notes:
    """Errors and warnings about instances; only errors refuse the request."""

    errors: list[FieldError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)

    def warn(self, row: int | None, column: str, detail: str) -> None:
        """Add a warning about a cell, or about a column if `row` is None."""
        if len(self.warnings) < MAX_WARNINGS:
            warning = {"row": row, "column": column[:100], "detail": detail}
            self.warnings.append(warning)

    def warn_where(self, rows: NDArray[np.bool_], column: str, detail: str) -> None:
        """Add a warning about the cells of a column where `rows` is true."""
        for row in np.flatnonzero(rows)[:MAX_WARNINGS].tolist():
            self.warn(row, column, detail)

    def refuse(self, row: int, column: str, cell: Any, expected: str) -> None:
        """Add an error about a cell that does not fit."""
        if len(self.errors) < MAX_ERRORS:
            received = f"got {str(cell)[:80]!r}"
            detail = f"row {row}, column {column!r}: {received}, expected {expected}"
            self.errors.append(error_at(row, column, detail))


def error_at(
    row: int | None, column: str, detail: str, hint: str | None = None
) -> FieldError:
    """Return an error about a cell, or about a column if `row` is None."""
    place = "#/columns" if row is None else f"#/instances/{row}"
    return FieldError(pointer=place, detail=detail, hint=hint, row=row, column=column)


def refuse(errors: list[FieldError]) -> None:
    """Raise InvalidInstances if there are errors."""
    if errors:
        shown = errors[:MAX_ERRORS]
        first = shown[:_MAX_IN_MESSAGE]
        details = "; ".join(e.detail + (f" ({e.hint})" if e.hint else "") for e in first)
        raise InvalidInstances(f"{details}.", shown)


def refuse_warnings(warnings: Sequence[RowWarning]) -> None:
    """Raise InvalidInstances with an error for each warning of a strict request."""
    errors = [_as_error(warning) for warning in warnings]
    details = [error.detail for error in errors[:_MAX_IN_MESSAGE]]
    if len(errors) > _MAX_IN_MESSAGE:
        details.append(f"{len(errors) - _MAX_IN_MESSAGE} more")
    raise InvalidInstances(f"{'; '.join(details)}. {_STRICT}", errors)


def _as_error(warning: RowWarning) -> FieldError:
    row, column = warning["row"], warning["column"]
    place = f"column {column!r}" if row is None else f"row {row}, column {column!r}"
    return error_at(row, column, f"{place}: {warning['detail']}")
