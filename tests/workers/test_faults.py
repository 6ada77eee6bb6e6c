"""Test that a fault of a child ends at most its run, and the worker survives.

`FITSERVE_FAULTS=100` repeats each fault so often, and prints the figures (`-s`).
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext

import psutil
import pytest

from core.runs.tables import Run
from tests.conftest import QUICK, bench_in

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
TIMES = int(os.environ.get("FITSERVE_FAULTS", "1"))
slow_one = pytest.mark.skipif(TIMES == 1, reason="takes long: FITSERVE_FAULTS=2 or more")
SHORT = QUICK.model_copy(
    update={
        "lease_seconds": 3.0,
        "requeue_after_seconds": 2.0,
        "checkpoint_seconds": 0.1,
    }
)
LIMIT = 4
"""Seconds in which even a busy machine traces a network and trains three epochs."""
CSV = "x,z,y\n" + "".join(f"{i},{i % 7},{3 * i + 1}\n" for i in range(60))


class Worker:
    """A process of the faulty worker, with more environment variables."""

    def __init__(self, bench, **more):
        runs = bench.settings.runs.model_dump()
        environment = {f"FITSERVE_RUNS__{k.upper()}": str(v) for k, v in runs.items()}
        self.log = bench.settings.home_dir / "worker.log"
        with self.log.open("ab") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "tests.workers.faulty_worker", "runs"],
                env=bench.environment | environment | more,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def child(self):
        return until(self.process.children)[0]

    def stop(self):
        """Send SIGTERM. Return the seconds until the process ended."""
        began = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(40)
        except psutil.TimeoutExpired:
            self.kill()
            raise
        return time.monotonic() - began

    def kill(self):
        for process in [*self.process.children(), self.process]:
            process.kill()
        self.process.wait()


def show(text):
    """Print a figure, which `-s` shows."""
    sys.stdout.write(f"\n{text}\n")


def until(question, seconds=150.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {question}")


@contextmanager
def worker_of(bench, **more):
    worker = Worker(bench, **more)
    try:
        yield worker
    finally:
        if worker.process.is_running():
            worker.kill()


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    with bench_in(tmp_path_factory.mktemp("f") / "home", broker_url, runs=SHORT) as bench:
        bench.upload(CSV)
        yield bench


@pytest.fixture(scope="module")
def worker(bench):
    with worker_of(bench) as worker:
        ended(bench, post(bench))  # the worker is running
        yield worker


def post(bench, fault="none", **fit):
    layers = [{"type": "Dense", "units": 4}, {"type": "Dense", "units": 1}]
    return bench.post(
        {
            "dataset": "table",
            "target": "y",
            "model_name": "m",
            "model": {"layers": layers},
            "fit": {"epochs": 5, "seed": 1, **fit},
            "tags": {"fault": fault},
        }
    )


def read(bench, run_id):
    return bench.client.get(f"/v1/runs/{run_id}").json()


def ended(bench, run_id, seconds=150.0):
    running = ("queued", "running")
    until(lambda: read(bench, run_id)["status"] not in running, seconds)
    return read(bench, run_id)


def at_epoch(bench, run_id, epoch):
    until(lambda: read(bench, run_id)["progress"]["epoch"] >= epoch)


def assert_gapless(bench, run):
    epochs = bench.client.get(f"/v1/runs/{run['id']}/history").json()["epoch"]
    assert epochs == list(range(1, run["progress"]["epoch"] + 1))


def test_a_hang_in_native_code_ends_the_run_soon_after_its_limit(bench, worker):
    """The run fails by time_limit within ten seconds; the next run trains at once."""
    lateness = []
    for _ in range(TIMES):
        run_id = post(bench, "hang", time_limit_seconds=LIMIT)
        at_epoch(bench, run_id, 3)
        began = time.monotonic()
        run = ended(bench, run_id)
        lateness.append(time.monotonic() - began - LIMIT)
        assert (run["status"], run["stop_reason"]) == ("failed", "time_limit")
        assert run["error"]["type"] == "/problems/time-limit"
        assert run["attempt"] == 1
        assert_gapless(bench, run)
        assert ended(bench, post(bench))["status"] == "succeeded"
    show(f"hang: {TIMES}, at most {max(lateness):.1f} s after the limit")
    assert max(lateness) <= 10
    assert worker.process.is_running()


@pytest.mark.parametrize(
    "fault", ["memory", "exhausted", pytest.param("allocate", marks=slow_one)]
)
def test_out_of_memory_ends_the_run_not_the_child(bench, worker, fault):
    """The run fails once by out-of-memory; its child trains the next run."""
    child = worker.child()
    times = min(TIMES, 10) if fault == "allocate" else TIMES  # TensorFlow waits 10 s
    for _ in range(times):
        run = ended(bench, post(bench, fault))
        assert run["error"]["type"] == "/problems/out-of-memory"
        assert run["attempt"] == 1
        assert_gapless(bench, run)
    assert ended(bench, post(bench))["status"] == "succeeded"
    show(f"{fault}: {times} runs failed, 0 deaths")
    assert worker.child() == child


def test_a_run_that_kills_its_child_is_tried_three_times(bench, worker):
    """The run fails by worker-lost, with a sentence; other runs continue meanwhile."""
    for _ in range(TIMES):
        run_id = post(bench, "die")
        assert ended(bench, post(bench))["status"] == "succeeded"
        run = ended(bench, run_id)
        assert (run["status"], run["attempt"]) == ("failed", 3)
        assert run["error"]["type"] == "/problems/worker-lost"
        assert "3 times" in run["error"]["detail"]
    show(f"die: {TIMES} runs, 3 attempts each")
    assert worker.process.is_running()


@slow_one
def test_a_killed_child_loses_no_epochs(bench, worker):
    """The child is killed at a random time; the second attempt has a complete history."""
    took = []
    for _ in range(TIMES):
        run_id = post(bench, "slow", epochs=150)
        at_epoch(bench, run_id, 3)
        time.sleep(random.uniform(0, 2))
        before = read(bench, run_id)
        worker.child().kill()
        began = time.monotonic()
        until(lambda i=run_id: read(bench, i)["attempt"] == 2)
        took.append(time.monotonic() - began)
        run = ended(bench, run_id)
        assert run["status"] == "succeeded"
        assert before["progress"]["epoch"] <= run["progress"]["epoch"] == 150
        assert_gapless(bench, run)
    show(f"kill child: {TIMES}, taken up within {max(took):.1f} s")
    assert worker.process.is_running()


def test_a_cancel_at_any_time_ends_the_run_once(bench, worker):
    """The run is cancelled or succeeds soon, and does not change afterwards."""
    took = []
    for _ in range(TIMES):
        run_id = post(bench, "slow", epochs=60)
        time.sleep(random.uniform(0, 3))
        began = time.monotonic()
        assert bench.client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
        run = ended(bench, run_id)
        took.append(time.monotonic() - began)
        assert run["status"] in ("cancelled", "succeeded")
        assert_gapless(bench, run)
        time.sleep(0.1)
        assert read(bench, run_id) == run
    show(f"cancel: {TIMES}, at most {max(took):.2f} s")
    assert worker.process.is_running()


def test_a_cancel_before_the_first_epoch_is_immediate(bench, worker):
    """The run ends before its network is built; the worker trains the next run."""
    run_id = post(bench, "build", epochs=60)
    until(lambda: read(bench, run_id)["status"] == "running")
    assert bench.client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
    run = ended(bench, run_id)
    assert (run["status"], run["stop_reason"]) == ("cancelled", "cancelled")
    assert (run["model_version"], run["progress"]["epoch"]) == (None, 0)
    (bench.settings.home_dir / "build").touch()
    assert ended(bench, post(bench))["status"] == "succeeded"
    assert read(bench, run_id) == run


@slow_one
def test_native_code_that_blocks_all_threads_is_killed(bench, worker):
    """The kernel kills the child, which has no heartbeat; another starts within 70 s."""
    child = worker.child()
    run_id = post(bench, "hold", epochs=100)
    until(lambda: not child.is_running() or child.status() == "zombie", 70)
    assert read(bench, run_id)["status"] in ("queued", "running")
    bench.client.post(f"/v1/runs/{run_id}/cancel")
    other = worker.child()
    if read(bench, run_id)["status"] == "running":
        other.kill()
        ended(bench, run_id)
    assert ended(bench, post(bench))["status"] == "succeeded"


@pytest.mark.parametrize("fault", ["slow", pytest.param("hang", marks=slow_one)])
def test_a_stopped_worker_hands_its_run_back(bench, worker, fault):
    """The worker saves a checkpoint and exits within 20 s; no attempt is counted."""
    took = []
    for _ in range(TIMES if fault == "slow" else min(TIMES, 5)):
        with next_worker(bench, worker) as stopped:
            run_id = post(bench, fault, epochs=10_000)
            at_epoch(bench, run_id, 3)
            time.sleep(random.uniform(0.3, 1))
            took.append(stopped.stop())
        run = read(bench, run_id)
        assert run["status"] == "queued"
        assert_gapless(bench, run)
        with bench.database.read() as session:
            row = session.get_one(Run, run_id)
            assert row.attempt == row.handed_back == 1
        key = f"checkpoints/{run_id}"
        assert list((bench.files / key).iterdir())
        bench.client.post(f"/v1/runs/{run_id}/cancel")
    show(f"SIGTERM ({fault}): {len(took)}, exit within {max(took):.1f} s")
    assert max(took) <= 20


def next_worker(bench, worker):
    """Return the running worker, or start a new one."""
    return nullcontext(worker) if worker.process.is_running() else worker_of(bench)


@slow_one
def test_a_killed_worker_loses_nothing(bench):
    """Worker and child are killed at a random time; another worker ends the run."""
    took = []
    for _ in range(TIMES):
        with worker_of(bench) as first:
            run_id = post(bench, "slow", epochs=150)
            at_epoch(bench, run_id, 3)
            time.sleep(random.uniform(0, 2))
            first.process.send_signal(signal.SIGKILL)
            for child in first.process.children():
                child.kill()
        with worker_of(bench):
            began = time.monotonic()
            run = ended(bench, run_id)
            took.append(time.monotonic() - began)
        assert (run["status"], run["attempt"]) == ("succeeded", 2)
        assert_gapless(bench, run)
    show(f"kill worker: {TIMES}, ended within {max(took):.1f} s of a new start")
