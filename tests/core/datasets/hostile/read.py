"""Read the hostile CSVs in a separate process and report the outcomes as JSON.

`python -m tests.core.datasets.hostile.read FOLDER STEP`
"""

import json
import resource
import sys
import time
from pathlib import Path

import polars as pl

from core.datasets.profile import profile
from core.datasets.reading import read_csv
from core.errors import InvalidTable
from fitserve.specs.parsing import ParsingSpec
from tests.core.datasets.hostile.differential import differences
from tests.core.datasets.hostile.files import Case, cases


def main(folder: Path, step: int) -> None:
    folder.mkdir()
    _read(Case("warm up", b"a,b\n1,x\n2,y\n"), folder)
    before = _peak()
    chosen = [case for i, case in enumerate(cases()) if i % step == 0]
    results = [_read(case, folder) for case in chosen]
    largest = max(len(case.content) for case in chosen)
    json.dump(
        {"results": results, "grown": _peak() - before, "largest": largest}, sys.stdout
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read(case: Case, folder: Path) -> dict[str, object]:
    for path in folder.iterdir():
        path.unlink()
    source, peak, started = folder / "source.csv", _peak(), time.perf_counter()
    source.write_bytes(case.content)
    result = {"name": case.name, "expected": case.expected, "bytes": len(case.content)}
    try:
        reading = read_csv(source, folder, ParsingSpec(), 2_000)
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
    if outcome == "read":
        table = pl.read_parquet(folder / "table.parquet")
        result["differs"] = differences(case.content, table, reading)
    return result


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
