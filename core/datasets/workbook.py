"""Read a sheet of a workbook (xlsx, ods) as typed columns, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.datasets.unpacked import most_unpacked
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.file_formats import FileFormat
from fitserve.problems import Problem
from fitserve.specs.parsing import ParsingSpec

MOST_MEMORY = 4 * 1024**3
"""Bytes that the process which reads an uploaded workbook may allocate."""
_SECONDS = 900
_PARSING = ("sheet", "header", "skipped_rows", "unit_lines")


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook.

    Args:
        frame: the rows; the names of the columns are numbers.
        names: the names of the columns in the table.
        mixed: the names of the columns whose cells have several types, read as text.
        parsing: the sheet, and the part of it that is the table.
        warnings: about the choice of the sheet, and about names.

    """

    frame: pl.LazyFrame
    names: list[str]
    mixed: frozenset[str]
    parsing: dict[str, Any]
    warnings: list[str]


def read_sheet(
    source: Path,
    folder: Path,
    found: FileFormat,
    given: ParsingSpec,
    max_columns: int,
    most_memory: int | None = None,
) -> Sheet:
    """Read the sheet that `given` names, or the first one with cells.

    Raises InvalidTable if the workbook is damaged, if a sheet needs too much memory, or
    if a small workbook unpacks to gigabytes.
    """
    _refuse_bomb(source)
    book = folder / f"book.{found}"  # calamine reads the format from the name
    book.unlink(missing_ok=True)
    book.symlink_to(source.resolve())
    task = {
        "source": str(book),
        "folder": str(folder),
        "sheet": given.sheet,
        "header": given.header,
        "max_columns": max_columns,
        "most_bytes": most_memory or MOST_MEMORY,
    }
    answer = _in_child(task)
    return Sheet(
        frame=pl.scan_parquet(folder / "sheet.parquet"),
        names=answer["names"],
        mixed=frozenset(answer["mixed"]),
        parsing={key: answer[key] for key in _PARSING},
        warnings=answer["warnings"],
    )


def _refuse_bomb(source: Path) -> None:
    """Raise InvalidTable if the parts of the workbook declare too large sizes."""
    with zipfile.ZipFile(source) as archive:
        size = sum(part.file_size for part in archive.infolist())
    most = most_unpacked(source.stat().st_size)
    if size > most:
        raise InvalidTable(
            f"The workbook of {source.stat().st_size:,} bytes unpacks to {size:,} bytes; "
            f"a file of its size may unpack to {most:,}. Send the table as CSV."
        )


def _in_child(task: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "core.datasets.sheet_child"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(task).encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidTable(
            f"Reading the workbook took more than {_SECONDS} seconds; send the sheet as "
            "CSV."
        ) from error
    if done.returncode:
        raise _ended(done, task)
    found: dict[str, Any] = json.loads(done.stdout)
    if "problem" in found:
        problem = Problem.model_validate(found["problem"])
        raise InvalidTable(problem.detail, problem.errors)
    if "damaged" in found:
        raise InvalidTable(f"The workbook cannot be read: {found['damaged'][:300]}.")
    return found


def _ended(
    done: subprocess.CompletedProcess[bytes], task: dict[str, Any]
) -> InvalidTable:
    """Return the refusal of a workbook at which the child process ended."""
    said = done.stderr.decode(errors="replace")
    if done.returncode < 0 or "MemoryError" in said or "memory allocation" in said:
        return InvalidTable(
            f"A sheet of the workbook needs more than {task['most_bytes']:,} bytes of "
            "memory: it has too many cells, or a cell far away from the table. Delete "
            "what is not part of the table, or send the sheet as CSV."
        )
    last = said.strip().rpartition("\n")[2]
    return InvalidTable(f"The workbook cannot be read: {last[:300]}")
