"""What is to be said about the instances of a request."""

from dataclasses import dataclass, field
from typing import Any

from fitserve.problems import FieldError

Warning_ = dict[str, Any]
MOST_TOLD = 20
MOST_WARNINGS = 100


@dataclass
class Notes:
    """Errors refuse the instances, warnings do not."""

    errors: list[FieldError] = field(default_factory=list)
    warnings: list[Warning_] = field(default_factory=list)

    def warn(self, row: int | None, column: str, detail: str) -> None:
        """Say something about a cell, or about a column where `row` is None."""
        if len(self.warnings) < MOST_WARNINGS:
            told = {"row": row, "column": column[:100], "detail": detail}
            self.warnings.append(told)

    def refuse(self, row: int, column: str, cell: Any, wanted: str) -> None:
        """Say that a cell does not fit."""
        if len(self.errors) < MOST_TOLD:
            error = FieldError(
                pointer=f"#/instances/{row}",
                detail=f"row {row}, column {column!r}: got {str(cell)[:80]!r}, "
                f"expected {wanted}",
                row=row,
                column=column,
            )
            self.errors.append(error)
