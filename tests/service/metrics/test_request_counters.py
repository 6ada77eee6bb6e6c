"""Counters of requests, and their sum over processes."""

import subprocess
import sys

import pytest

from service.metrics.request_counters import (
    BOUNDS,
    MOST_MODELS,
    OTHER,
    Latencies,
    RequestCounters,
)
from service.metrics.snapshots import Snapshot, Snapshots

KEY = ("GET", "/x", 2)


def snapshots(counters, folder):
    return Snapshots(counters, lambda: {"loads": 2.0}, lambda: {"entries": 1.0}, folder)


def test_a_bound_belongs_to_its_bucket():
    """`le` means less or equal; larger values are in one more bucket."""
    latencies = Latencies()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, 1e6):
        latencies.add(seconds)
    assert latencies.counts[:2] == [2, 1]
    assert latencies.counts[-1] == 1
    assert sum(latencies.counts) == 4


def test_models_above_the_limit_are_counted_as_other():
    """A client that trains many models must not fill Prometheus."""
    counters = RequestCounters()
    for i in range(MOST_MODELS + 50):
        counters.predicted(("w", f"m{i}"), 0.001, 2)
    assert len(counters.models) == MOST_MODELS + 1
    assert counters.models[OTHER].rows == 100
    counters.predicted(("w", "m0"), 0.001, 1)
    assert counters.models["w", "m0"].rows == 3


def test_a_snapshot_can_be_written_and_read():
    """Merging snapshots does not change the counters."""
    counters = RequestCounters()
    counters.answered(KEY, 0.003)
    counters.predicted(("w", "m"), 0.002, 7)
    own = snapshots(counters, None).total()
    back = Snapshot.from_json(own.to_json())
    assert back == own
    back.merge(own)
    assert back.models["w", "m"].rows == 14
    assert sum(back.http[KEY].counts) == 2
    assert back.counters == {"loads": 4.0}
    assert counters.models["w", "m"].rows == 7


CHILD = """
import os, sys
from pathlib import Path
from service.metrics.snapshots import Snapshots
from service.metrics.request_counters import RequestCounters
counters = RequestCounters()
counters.answered(("GET", "/x", 2), 0.003)
shared = Snapshots(counters, lambda: {"loads": 5.0}, lambda: {"entries": 3.0}, Path(sys.argv[1]))
shared.total()
print("ready", flush=True)
sys.stdin.read()
shared.stop()
"""


@pytest.fixture
def child(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait()


@pytest.mark.parametrize("is_killed", [True, False])
def test_counters_of_an_ended_process_stay_and_gauges_go(child, tmp_path, is_killed):
    """This holds for a stopped and for a killed process."""
    counters = RequestCounters()
    counters.answered(KEY, 0.003)
    shared = snapshots(counters, tmp_path)
    shared.start()
    total = shared.total()
    assert sum(total.http[KEY].counts) == 2
    assert total.gauges == {"entries": 4.0, "processes": 2}
    if is_killed:
        child.kill()
    else:
        child.stdin.close()
    child.wait()
    total = shared.total()
    assert sum(total.http[KEY].counts) == 2
    assert total.counters == {"loads": 7.0}
    assert total.gauges == {"entries": 1.0, "processes": 1}
    shared.stop()
