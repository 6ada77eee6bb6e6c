"""Show messages about rows with the line of the file instead of the row number."""

import re
from pathlib import Path
from typing import Any

from fitserve.cli.console import err, say
from fitserve.cli.refusals import listed
from fitserve.cli.rows import Rows, guessed
from fitserve.cli.typed_rows import rows_in
from fitserve.problems import FieldError, Problem, path_of
from fitserve.schemas.predict import PredictResponse

_WARNINGS = 5
_SAID = re.compile(r"^row \d+", re.IGNORECASE)


def rows_of(path: Path, given: dict[str, Any], answer: PredictResponse) -> Rows:
    """Return the rows of a file, with the layout that the answer reports."""
    if (rows := rows_in(path, answer.parsing)) is not None:
        return rows
    columns = {warning.column for warning in answer.warnings or ()}
    return Rows(path, answer.parsing or guessed(path, given, columns))


def refused(path: Path, given: dict[str, Any], problem: Problem) -> str:
    """Return the text of a refusal, with the line of each fault."""
    of_rows = [error for error in problem.errors if error.row is not None]
    columns = {error.column or "/".join(path_of(error.pointer)[2:]) for error in of_rows}
    rows = rows_in(path, None) or Rows(path, guessed(path, given, columns - {""}))
    return listed(problem, lambda error: _fault(error, rows), "  ")


def warn(answer: PredictResponse, rows: Rows) -> None:
    """Print the first warnings of an answer."""
    warnings = answer.warnings or []
    for warning in warnings[:_WARNINGS]:
        where = "" if warning.row is None else f"{rows.place(warning.row)}, "
        say(f"{where}column {warning.column!r}: {warning.detail}", err)
    if len(warnings) > _WARNINGS:
        say(f"{len(warnings) - _WARNINGS} more warnings; --json prints all", err)


def _fault(error: FieldError, rows: Rows) -> str:
    hint = f" ({error.hint})" if error.hint else ""
    if error.row is None:
        return f"{rows.path}: {error.detail}{hint}"
    place = f"{rows.path}, {rows.place(error.row)}"
    said, count = _SAID.subn(lambda _: place, error.detail, count=1)
    return (said if count else f"{place}: {error.detail}") + hint
