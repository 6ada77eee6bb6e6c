"""Measure a warm worker: time to the first epoch, and memory over many tiny runs."""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import polars as pl
import psutil

from benchmarks.service import SPEC, TABLE, service
from fitserve import Client
from fitserve.enums import TERMINAL

RUNS = int(os.environ.get("RUNS", "200"))
_FIRSTS = 7
_SPECS = 20
"""The number of different specs and tables."""


def first_epoch_seconds(client: Client) -> float:
    """Return the median seconds from the POST to the row of the first epoch."""
    spec = {**SPEC, "fit": {"epochs": 1, "seed": 1}}
    firsts = []
    for _ in range(_FIRSTS):
        began = time.monotonic()
        run = client.runs.create(spec)
        while client.runs.get(run.id).progress.epoch < 1:
            time.sleep(0.005)
        firsts.append(time.monotonic() - began)
        client.runs.wait(run.id)
    return statistics.median(firsts)


def different_specs(client: Client) -> list[dict[str, Any]]:
    """Upload tables with different columns and rows; return a spec for each table."""
    table = pl.read_csv(TABLE, infer_schema_length=None)
    specs = []
    for number in range(_SPECS):
        left_out = table.columns[number % (table.width - 1)]
        part = table.drop(left_out)[number:]
        dataset = client.datasets.upload(part, name=f"table{number}")
        layers = [{"type": "Dense", "units": number + 1}, {"type": "Output"}]
        specs.append({**SPEC, "dataset": dataset.id, "model": {"layers": layers}})
    return specs


def back_to_back(
    client: Client, up: psutil.Process, specs: Sequence[dict[str, Any]]
) -> dict[str, float]:
    """Queue all runs; measure the largest process until the last run has ended."""
    began = time.monotonic()
    waiting = [client.runs.create(specs[i % len(specs)]).id for i in range(RUNS)]
    largest, pids = 0.0, set()
    while waiting:
        child = max(up.children(recursive=True), key=_resident)
        largest = max(largest, _resident(child))
        pids.add(child.pid)
        if client.runs.get(waiting[0]).status in TERMINAL:
            waiting.pop(0)
            continue
        time.sleep(0.02)
    minutes = (time.monotonic() - began) / 60
    return {
        "runs": RUNS,
        "runs_a_minute": RUNS / minutes,
        "largest_process_mb": largest / 1e6,
        "children_used": len(pids),
    }


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0.0


def main() -> None:
    """Print the figures as JSON."""
    with (
        tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home,
        service(home) as (url, up, _),
        Client(url) as client,
    ):
        client.datasets.upload(TABLE)
        client.runs.wait(client.runs.create(SPEC).id)
        figures = {"post_to_first_epoch_seconds": first_epoch_seconds(client)}
        figures |= back_to_back(client, up, [SPEC])
        others = back_to_back(client, up, different_specs(client))
        figures["different_runs_a_minute"] = others["runs_a_minute"]
    print(json.dumps({k: round(v, 2) for k, v in figures.items()}), flush=True)


if __name__ == "__main__":
    main()
