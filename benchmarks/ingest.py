"""Measure the reading of a CSV: time and memory of fitserve, of polars, of an upload.

`SIZE_MB` (256) and `REPEATS` (3) come from the environment.
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import psutil

from benchmarks.service import service
from fitserve import Client

SIZE_MB = int(os.environ.get("SIZE_MB", "256"))
REPEATS = int(os.environ.get("REPEATS", "3"))
_ROWS = 200_000
_MEASURE = """
import resource, sys, tempfile, time
from pathlib import Path
source, folder = Path(sys.argv[1]), Path(tempfile.mkdtemp(dir=sys.argv[2]))
{imports}
began = time.monotonic()
{work}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(time.monotonic() - began, peak)
"""
_POLARS_IMPORTS = "import polars as pl"
_POLARS = """
pl.scan_csv(source).sink_parquet(folder / "table.parquet")
"""
_OUR_IMPORTS = """
from core.datasets.profile import profile
from core.datasets.reading import read_csv
from fitserve.specs.parsing import ParsingSpec
"""
_OURS = """
reading = read_csv(source, folder, ParsingSpec(), 2000)
profile(folder / "table.parquet", reading.columns, reading.stats)
"""


def write_table(path: Path, megabytes: int) -> int:
    """Write a table of numbers, categories, dates and gaps; return its number of rows."""
    rng = np.random.default_rng(0)
    rows = 0
    with path.open("wb") as file:
        while file.tell() < megabytes * 1_000_000:
            text = io.BytesIO()
            _block(rng, rows).write_csv(text, include_header=rows == 0)
            file.write(text.getvalue())
            rows += _ROWS
    return rows


def _block(rng: np.random.Generator, first: int) -> pl.DataFrame:
    numbers = {f"x{i}": rng.normal(100, 15, _ROWS).round(4) for i in range(7)}
    gaps = pl.Series(numbers.pop("x6")).set(pl.Series(rng.random(_ROWS) < 0.05), None)
    minutes = pl.Series(first + np.arange(_ROWS)) * 60_000_000
    return pl.DataFrame(
        {
            **numbers,
            "gaps": gaps,
            "number": np.arange(first, first + _ROWS),
            "colour": rng.choice(["red", "green", "blue"], _ROWS),
            "town": [f"town {i}" for i in rng.integers(0, 500, _ROWS)],
            "sold": minutes.cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S"),
            "y": rng.normal(size=_ROWS).round(3),
        }
    )


def measure(imports: str, work: str, source: Path, folder: str) -> tuple[float, float]:
    """Return the seconds and the peak resident bytes of a process that does the work."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _MEASURE.format(imports=imports, work=work),
            source,
            folder,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def upload(source: Path, folder: str) -> dict[str, float]:
    """Return the seconds until an upload is read, and the peak memory of each process."""
    peaks: dict[str, float] = {}
    with service(f"{folder}/home") as (url, up, _), Client(url) as client:
        stopped = threading.Event()
        watcher = threading.Thread(target=_watch, args=[up, peaks, stopped])
        watcher.start()
        began = time.monotonic()
        client.datasets.upload(source)
        seconds = time.monotonic() - began
        stopped.set()
        watcher.join()
    return {"upload_seconds": seconds, **peaks}


def _watch(up: psutil.Process, peaks: dict[str, float], stopped: threading.Event) -> None:
    while not stopped.wait(0.1):
        for process in up.children(recursive=True):
            try:
                name = f"{_part(process)}_mb"
                size = process.memory_info().rss / 1e6
            except psutil.Error:
                continue
            peaks[name] = max(peaks.get(name, 0), round(size))


def _part(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    words = {"workers runs": "trainer", "workers datasets": "reader", "redis": "broker"}
    return next((name for word, name in words.items() if word in line), "api")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "table.csv"
        rows = write_table(source, SIZE_MB)
        size = source.stat().st_size / 1e6
        figures = []
        for _ in range(REPEATS):  # alternately, so that other load affects both
            alone, alone_peak = measure(_POLARS_IMPORTS, _POLARS, source, folder)
            ours, our_peak = measure(_OUR_IMPORTS, _OURS, source, folder)
            figures.append((alone, ours, alone / ours, alone_peak, our_peak))
        alone, ours, ratio, alone_peak, our_peak = map(
            statistics.median, zip(*figures, strict=True)
        )
        result = {
            "megabytes": round(size),
            "rows": rows,
            "polars_mb_per_second": round(size / alone, 1),
            "fitserve_mb_per_second": round(size / ours, 1),
            "ratio": round(ratio, 2),
            "polars_peak_mb": round(alone_peak / 1e6),
            "fitserve_peak_mb": round(our_peak / 1e6),
            **upload(source, folder),
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
