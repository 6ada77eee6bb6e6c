"""Measure a run on a table of 20 million rows, which needs less than 2 GB of memory.

The dataset is created from a few rows; then a large table, written in blocks, replaces
its table. `ingest` measures the reading of CSVs. A separate process trains the run, and
returns its peak resident memory.
"""

import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import polars as pl
from sqlalchemy import update

from benchmarks.fit import Bench, Case, draw
from core.database.base import new_id
from core.database.sessions import Database
from core.datasets.tables import Dataset
from core.keys.caller import LOCAL
from core.runs.tables import Run
from core.settings import Settings
from core.storage import open_storage, scratch
from fitserve.specs.run import RunCreate

ROWS = int(os.environ.get("ROWS", "20_000_000"))
_BLOCK = 500_000
_SMALL = 3_000
CASE = Case("large", _SMALL, 8, [64, 64], 4096, 1)


def write(path: Path) -> None:
    """Write the large table in blocks."""
    rng = np.random.default_rng(0)
    names = [*(f"x{i}" for i in range(CASE.num_inputs)), "y"]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for i, start in enumerate(range(0, ROWS, _BLOCK)):
            x = rng.normal(size=(min(_BLOCK, ROWS - start), CASE.num_inputs))
            y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * rng.normal(size=len(x))
            frame = pl.DataFrame(np.column_stack([x, y]), schema=names)
            frame.write_parquet(Path(folder) / f"{i:04}.parquet")
        pl.scan_parquet(f"{folder}/*.parquet").sink_parquet(path, row_group_size=_BLOCK)


def work(home: str, run_id: str, answer: "multiprocessing.Queue[float]") -> None:
    """Train, and put the peak resident memory in MB into `answer`."""
    from workers.run_executor import RunExecutor  # noqa: PLC0415  imports Keras

    settings = Settings(home=Path(home))
    database = Database(settings.resolved_database_url)
    storage = open_storage(settings)
    RunExecutor(settings, database, storage, new_id("w"), bool).execute(run_id)
    # not ru_maxrss, which starts at the value of the parent
    status = Path("/proc/self/status").read_text().splitlines()
    answer.put(next(int(x.split()[1]) for x in status if x.startswith("VmHWM")) / 1e3)


def main() -> None:
    """Print a line of JSON."""
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home:
        bench = Bench.of_case(home, CASE, draw(CASE))
        with bench.database.write() as session:
            dataset = session.query(Dataset).one()
            with scratch() as folder:
                write(folder / "table.parquet")
                bench.storage.put(folder / "table.parquet", dataset.table_key)
            session.execute(update(Dataset).values(num_rows=ROWS, hash_key=""))
        spec = {**CASE.spec, "fit": {**CASE.spec["fit"], "batch_size": 4096}}
        with bench.database.write() as session:
            resolved = bench.runs.prepare(session, LOCAL, RunCreate.model_validate(spec))
            run_id = bench.runs.create(session, LOCAL, resolved).id
        spawn = multiprocessing.get_context("spawn")  # polars does not survive a fork
        answer = spawn.Queue()
        began = time.monotonic()
        child = spawn.Process(target=work, args=(home, run_id, answer))
        child.start()
        peak = answer.get()
        child.join()
        seconds = time.monotonic() - began
        with bench.database.read() as session:
            run = session.get_one(Run, run_id)
            assert run.status == "succeeded", run.error  # noqa: S101  else no result
            figures = {
                "rows": ROWS,
                "resident_mb": round(peak),
                "run_seconds": round(seconds, 1),
                "fit_seconds": round(run.fit_seconds, 1),
                "metrics": run.metrics,
            }
        bench.database.close()
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
