"""Print predictions next to as many columns as fit on the terminal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from rich.cells import cell_len

from fitserve.cli.console import cell, err, print_table, say, table_width
from fitserve.cli.rows import Rows
from fitserve.schemas.predict import PredictResponse

_SHOWN = 20
_GAP = 2  # between two columns of a table
_ID = re.compile(r"(?:^|[\W_])(?:id|key|uuid|name|code)$|[a-z]I[dD]$", re.IGNORECASE)
PredictionColumns = dict[str, list[Any]]


@dataclass(frozen=True)
class Predicted:
    """Rows, and the columns that an answer adds to the rows.

    Args:
        names: the names of the rows' own columns.
        rows: the cells of each row; can be iterated more than once.
        added: the columns of predictions, by name.
        answer: the answer that holds the predictions.

    """

    names: list[str]
    rows: Iterable[Sequence[Any]]
    added: PredictionColumns
    answer: PredictResponse

    @classmethod
    def of(cls, rows: Rows, answer: PredictResponse) -> "Predicted":
        """Return the rows of a file with their predictions, or the predictions alone.

        If the command line reads another number of rows than the service, row numbers
        replace the rows: a prediction next to the wrong row would be worse than none.
        """
        expected = len(answer.predictions)
        if len(rows.lines) == expected:
            return cls(rows.names, rows, _renamed(answer.table(), rows.names), answer)
        if not rows.names:
            said = f"{rows.path}: the output has row numbers instead of the columns"
            missing = rows.parsing.get("missing")
            say(f"{said}: {missing}" if missing else said, err)
        else:
            say(
                f"The command line read {len(rows.lines):,} rows of {rows.path}, but the "
                f"service predicted {expected:,}. The output has row numbers instead of "
                "the columns of the file.",
                err,
            )
        numbers = [[i] for i in range(1, expected + 1)]
        return cls(["row"], numbers, answer.table(), answer)

    def lines(self) -> Iterator[list[Any]]:
        """Yield the header, then every row with its prediction."""
        yield [*self.names, *self.added]
        for row, *values in zip(self.rows, *self.added.values(), strict=True):
            yield [*row, *values]


def _renamed(added: PredictionColumns, own: list[str]) -> PredictionColumns:
    """Return the columns under names that the file does not have; print each new name."""
    names = {name.strip() for name in own}
    taken = names | set(added)
    found: PredictionColumns = {}
    for name, values in added.items():
        free = name
        if name in names:
            numbered = (f"{name}_{i}" for i in count(2))
            free = next(other for other in numbered if other not in taken)
            taken.add(free)
            said = f"the file has a column {name!r}; the new column is named {free!r}"
            say(said, err)
        found[free] = values
    return found


def show(predicted: Predicted) -> None:
    """Print the first rows, and how many rows and columns are left out."""
    header, *rows = [
        [cell(value) for value in line] for line in islice(predicted.lines(), _SHOWN + 1)
    ]
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    kept = _fitting(predicted.names, len(predicted.added), widths)
    print_table([header[i] for i in kept], [[row[i] for i in kept] for row in rows])
    answer = predicted.answer
    more = _left_out(len(answer.predictions) - _SHOWN, len(header) - len(kept))
    say(f"{answer.model_name}, version {answer.model_version}{more}")


def _fitting(own: list[str], num_added: int, widths: list[int]) -> list[int]:
    """Return the indices of the columns to show, always with the prediction."""
    first = len(own)
    named = [i for i, name in enumerate(own) if _ID.search(name)]
    wanted = [first, *named, *range(first + 1, first + num_added), *range(first)]
    kept: set[int] = set()
    room = table_width() + _GAP
    for i in dict.fromkeys(wanted):
        if i == first or widths[i] + _GAP <= room:
            kept.add(i)
            room -= widths[i] + _GAP
    return sorted(kept)


def _left_out(num_rows: int, num_columns: int) -> str:
    counts = ((num_rows, "row"), (num_columns, "column"))
    rests = [f"{n:,} more {noun}{'s' * (n > 1)}" for n, noun in counts if n > 0]
    return f"; {' and '.join(rests)} with --output FILE" if rests else ""
