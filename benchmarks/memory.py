"""Measure the memory of every process of the default service, as PSS.

PSS divides the size of a shared page among the processes that share it. So the sum over
the processes is the memory that the service uses (Linux only).
"""

import json
import os
import tempfile
import time
from collections import defaultdict

import psutil

from benchmarks.service import SPEC, TABLE, service
from fitserve import Client

RUNS = int(os.environ.get("RUNS", "5"))
IDLE_MINUTES = float(os.environ.get("IDLE_MINUTES", "10"))
_START_SECONDS = 15
"""For the worker, which imports Keras after the service is ready."""
DEFAULT_SPEC = {key: SPEC[key] for key in ("dataset", "target")}


def memory_by_process(up: psutil.Process) -> dict[str, float]:
    """Return the PSS of each kind of process in MB, and their sum."""
    found: dict[str, float] = defaultdict(float)
    for process in [up, *up.children(recursive=True)]:
        try:
            found[_kind(process, up)] += process.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:  # the child was replaced meanwhile
            continue
    return {**found, "all": sum(found.values())}


def _kind(process: psutil.Process, up: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    if process == up:
        return "supervisor"
    if "redis-server" in line:
        return "broker"
    if "-m service" in line:
        return "API"
    kind = "reader" if "datasets" in line else "worker"
    return f"{kind} parent" if process.ppid() == up.pid else f"{kind} children"


def main() -> None:
    """Print the figures as JSON."""
    figures = {}
    with (
        tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home,
        service(home) as (url, up, _),
        Client(url) as client,
    ):
        time.sleep(_START_SECONDS)
        figures["after start"] = memory_by_process(up)
        client.datasets.upload(TABLE)
        for _ in range(RUNS):
            client.runs.wait(client.runs.create(DEFAULT_SPEC).id)
        figures[f"after {RUNS} default runs"] = memory_by_process(up)
        time.sleep(IDLE_MINUTES * 60)
        figures[f"{IDLE_MINUTES:g} minutes later"] = memory_by_process(up)
    rounded = {
        when: {name: round(value) for name, value in found.items()}
        for when, found in figures.items()
    }
    print(json.dumps(rounded, indent=1), flush=True)


if __name__ == "__main__":
    main()
