"""Read one sheet of a workbook: `python -m core.datasets.sheet_child` reads JSON.

A separate process reads, because calamine holds a whole sheet in memory, and ends its
process if the memory is not enough.
"""

import csv
import json
import resource
import sys
from itertools import chain, islice
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
)

from core.datasets.dialect import Layout, find_layout
from core.datasets.header import NO_NAME, about_unnamed
from core.datasets.sheet_cells import MIXED, SheetColumns
from core.errors import FitserveError, InvalidTable
from core.lazy import pl
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.sheets import sheet_with_rows, text_of
from fitserve.specs.parsing import ParsingSpec

_SAMPLE_ROWS = 1_000
_SHOWN = 10
_PAGE = resource.getpagesize()


def main() -> None:
    """Read the sheet that the JSON on stdin names; write what was found to stdout."""
    task = json.load(sys.stdin)
    _limit_memory(task["most_bytes"])
    try:
        answer = _read(task, Path(task["folder"]))
    except FitserveError as error:
        answer = {"problem": error.problem().model_dump(mode="json")}
    except CalamineError as error:
        answer = {"damaged": str(error)}
    json.dump(answer, sys.stdout)


def _limit_memory(most_bytes: int) -> None:
    """Limit what this process may allocate beyond its present address space."""
    pl.DataFrame({"a": [1]}).lazy().collect()  # starts the threads of polars
    try:
        present = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
    except OSError:
        return  # not Linux, whose limit would not hold either
    limit = present + most_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _read(task: dict[str, Any], folder: Path) -> dict[str, Any]:
    with CalamineWorkbook.from_path(task["source"]) as book:
        sheet = _sheet(book, task["sheet"])
        if sheet.width > task["max_columns"]:
            raise InvalidTable(
                f"The sheet {sheet.name!r} has {sheet.width:,} columns; this service "
                f"accepts at most {task['max_columns']:,}."
            )
        names = book.sheet_names
    rows = iter(sheet.iter_rows())
    sample = list(islice(rows, _SAMPLE_ROWS))
    layout = _layout(sample, folder, task["header"])
    columns = SheetColumns(folder)
    columns.add(chain(sample[layout.num_lines :], rows))
    if not columns.tags:
        raise InvalidTable(
            f"The sheet {sheet.name!r} has a header but no values; add at least one row."
        )
    kept = _kept(columns, layout)
    columns.write(kept, folder / "sheet.parquet")
    return {
        "sheet": sheet.name,
        "names": [layout.names[i] for i in kept],
        "mixed": [layout.names[i] for i in kept if columns.tags[i] == MIXED],
        "header": layout.header,
        "skipped_rows": layout.num_skipped,
        "unit_lines": layout.num_units,
        "warnings": [*_choice(names, sheet.name, task["sheet"]), *layout.warnings],
    }


def _sheet(book: CalamineWorkbook, wanted: str | None) -> CalamineSheet:
    """Return the sheet of this name, or the first visible one with cells."""
    names = book.sheet_names
    if wanted is None:
        found: CalamineSheet | None = sheet_with_rows(book)
        if found is not None:
            return found
        raise InvalidTable("The workbook has no sheet with cells.")
    if wanted not in names:
        detail = f"the workbook has no sheet {wanted[:100]!r}"
        hint = did_you_mean(wanted, names)
        error = FieldError(pointer=pointer("sheet"), detail=detail, hint=hint)
        raise InvalidTable(f"{detail}; it has {_listed(names)}.", [error])
    sheet = book.get_sheet_by_name(wanted)
    if not sheet.height:
        raise InvalidTable(f"The sheet {wanted[:100]!r} is empty.")
    return sheet


def _choice(names: list[str], read: str, wanted: str | None) -> list[str]:
    """Return a warning if another sheet could have been meant."""
    if wanted is not None or len(names) == 1:
        return []
    warning = (
        f"the workbook has {len(names)} sheets, and {read!r} was read; for another one "
        f"of {_listed(names)}, set `sheet`"
    )
    return [warning]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name[:100]) for name in names[:_SHOWN]) + more


def _layout(sample: list[list[Any]], folder: Path, header: bool | None) -> Layout:
    """Return where the table begins, and its names, as in a CSV of the same cells."""
    path = folder / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        # a row is a line: the lines are counted
        writer.writerows(
            [" ".join(text_of(c).split("\n")) for c in row] for row in sample
        )
    return find_layout(path, ParsingSpec(delimiter=",", header=header))


def _kept(columns: SheetColumns, layout: Layout) -> list[int]:
    """Return the places of the columns without those that have neither name nor cell."""
    kept = [
        i
        for i, name in enumerate(layout.names)
        if columns.tags[i] != "empty" or name not in layout.made_up
    ]
    others = [warning for warning in layout.warnings if f" {NO_NAME}; " not in warning]
    if len(others) < len(layout.warnings):
        names = {i: layout.names[i] for i in kept if layout.names[i] in layout.made_up}
        unnamed = {i: n for i, n in names.items() if n.startswith(f"column_{i + 1}")}
        layout.warnings = [*others, *about_unnamed(unnamed)]
    dropped = len(layout.names) - len(kept)
    if dropped:
        layout.warnings.append(f"{dropped} unnamed, empty column(s) are ignored")
    return kept


if __name__ == "__main__":
    main()
