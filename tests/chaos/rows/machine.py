"""Rows 21 and 38: a wrong clock, and the cost of an idle service."""

import os
import random
import time
from datetime import datetime
from pathlib import Path

import psutil

from core.settings import RunTimes
from tests.chaos.cluster import Cluster
from tests.chaos.processes import ManagedProcess
from tests.chaos.registry import row
from tests.chaos.rows.workers import succeeded

FAKETIME = Path(
    os.environ.get(
        "CHAOS_LIBFAKETIME", "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
    )
)
"""Debian's package `libfaketime`."""
SHIFTS = ("+1h", "-1h", "+1d", "-1d")


@row(21, "Clocks an hour or a day off", 1, 5, workers=1, profiles=("postgresql",))
def wrong_clock(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Change a worker's clock, then the API's: leases use the clock of the database.

    SQLite uses the clocks of its processes, which are that of the machine.
    """
    if not FAKETIME.exists():
        cluster.request_log.say(
            f"no {FAKETIME}; install libfaketime or set CHAOS_LIBFAKETIME"
        )
        return "not played"
    for shift in SHIFTS * times:
        for part in (cluster.workers[0], cluster.apis[0]):
            _shifted(part, shift)
            run_id = cluster.client.post(choice.randrange(9000), 50)  # beyond a lease
            succeeded(cluster, run_id)
            run = cluster.client.read(run_id)
            began, ended = (_time(run[name]) for name in ("started_at", "ended_at"))
            if run["attempt"] != 1 or ended < began:
                cluster.request_log.say(
                    f"{shift}: attempt {run['attempt']}, {began}, {ended}"
                )
            part.kill()
            part.start()
    return f"{len(SHIFTS) * times * 2} shifts, 0 false reclaims, 0 negative durations"


def _shifted(part: ManagedProcess, shift: str) -> None:
    part.kill()
    library = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    part.start(FAKETIME=shift, **library)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


_USUAL = {
    f"FITSERVE_RUNS__{k.upper()}": str(v) for k, v in RunTimes().model_dump().items()
}


@row(38, "Nothing to do, 20 models loaded", 20, 300, workers=1, environment=_USUAL)
def idle(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Measure the CPU time of API and worker when idle, with the usual settings."""
    for number in range(20):
        succeeded(cluster, cluster.client.post(number, 2, f"m{number}", epoch_ms="10"))
        body = {"model": f"m{number}", "instances": [{"x": 1}]}
        cluster.client.insist("POST", "/v1/predict", json=body)
    time.sleep(3)
    processes = [
        process
        for part in (*cluster.apis, *cluster.workers)
        for process in (part.process, *part.process.children())
    ]
    before = _cpu_seconds(processes)
    time.sleep(times)
    share = (_cpu_seconds(processes) - before) / times
    if share > 0.02:
        cluster.request_log.say(f"{share:.1%} of a core by an idle service")
    return f"{share:.1%} of a core over {times} s"


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)
