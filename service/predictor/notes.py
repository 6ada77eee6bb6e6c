"""Collect errors and warnings about the instances of a request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidInstances
from fitserve.problems import FieldError

Warning_ = dict[str, Any]
MOST_TOLD = 20
MOST_WARNINGS = 100
_MOST_SAID = 5
_STRICT = (
    "The request is strict, so it is refused where others are answered with warnings. "
    "Correct what is named, or ask without strict."
)


@dataclass
class Notes:
    """Errors and warnings about instances; only errors refuse the request."""

    errors: list[FieldError] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)

    def warn(self, row: int | None, column: str, detail: str) -> None:
        """Add a warning about a cell, or about a column if `row` is None."""
        if len(self.warnings) < MOST_WARNINGS:
            told = {"row": row, "column": column[:100], "detail": detail}
            self.warnings.append(told)

    def refuse(self, row: int, column: str, cell: Any, wanted: str) -> None:
        """Add an error about a cell that does not fit."""
        if len(self.errors) < MOST_TOLD:
            error = FieldError(
                pointer=f"#/instances/{row}",
                detail=f"row {row}, column {column!r}: got {str(cell)[:80]!r}, "
                f"expected {wanted}",
                row=row,
                column=column,
            )
            self.errors.append(error)


def refuse_warnings(warnings: Sequence[Warning_]) -> None:
    """Raise InvalidInstances with an error for each warning of a strict request."""
    errors = [_as_error(warning) for warning in warnings]
    said = [error.detail for error in errors[:_MOST_SAID]]
    if len(errors) > _MOST_SAID:
        said.append(f"{len(errors) - _MOST_SAID} more")
    told = "; ".join(said)
    raise InvalidInstances(f"{told}. {_STRICT}", errors)


def _as_error(warning: Warning_) -> FieldError:
    row, column = warning["row"], warning["column"]
    place = f"column {column!r}"
    return FieldError(
        pointer="#/columns" if row is None else f"#/instances/{row}",
        detail=f"{place if row is None else f'row {row}, {place}'}: {warning['detail']}",
        row=row,
        column=column,
    )
