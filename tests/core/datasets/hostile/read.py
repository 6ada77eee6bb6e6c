"""Read hostile files in a separate process and report the outcomes as JSON.

`python -m tests.core.datasets.hostile.read FOLDER STEP CORPUS`
"""

import json
import resource
import sys
import time
from pathlib import Path

import polars as pl

from core.datasets.profile import profile
from core.datasets.table_file import read_table
from core.errors import InvalidTable
from fitserve.specs.parsing import ParsingSpec
from tests.core.datasets.hostile.differential import differences
from tests.core.datasets.hostile.files import Case, cases
from tests.core.datasets.hostile.typed_files import typed_cases
from tests.core.datasets.hostile.workbook_files import workbook_cases

MOST_MEMORY = 2**30
"""Bytes that the process which reads a workbook may allocate."""
CORPORA = {"csv": cases, "typed": typed_cases, "workbooks": workbook_cases}


def main(folder: Path, step: int, corpus: str) -> None:
    folder.mkdir()
    chosen = CORPORA[corpus]()[::step]
    _read(Case("warm up", b"a,b\n1,x\n2,y\n"), folder)
    before = _peak()
    results = [_read(case, folder) for case in chosen]
    largest = max(len(case.content) for case in chosen)
    report = {
        "results": results,
        "grown": _peak() - before,
        "largest": largest,
        "child": _peak(resource.RUSAGE_CHILDREN),
    }
    json.dump(report, sys.stdout)


def _peak(whose: int = resource.RUSAGE_SELF) -> int:
    return resource.getrusage(whose).ru_maxrss * 1024


def _read(case: Case, folder: Path) -> dict[str, object]:
    for path in folder.iterdir():
        path.unlink()
    source, peak, started = folder / "source.csv", _peak(), time.perf_counter()
    source.write_bytes(case.content)
    result = {"name": case.name, "expected": case.expected, "bytes": len(case.content)}
    try:
        reading = read_table(source, folder, ParsingSpec(), 2_000, MOST_MEMORY)
        profile(folder / "table.parquet", reading.columns, reading.stats)
        outcome, detail = "read", "; ".join(reading.warnings)[:300]
    except InvalidTable as error:
        outcome, detail = "refused", str(error)[:300]
    except BaseException as error:  # noqa: BLE001  also a panic of polars
        outcome, detail = "crashed", f"{type(error).__name__}: {error}"[:300]
    result |= {
        "outcome": outcome,
        "detail": detail,
        "seconds": time.perf_counter() - started,
    }
    result["grown"] = _peak() - peak
    if outcome == "read" and reading.parsing["format"] == "csv":
        table = pl.read_parquet(folder / "table.parquet")
        result["differs"] = differences(case.content, table, reading)
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
