"""Test `fitserve up` from outside the process."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import pytest
import redis

from fitserve import Client, FitserveError
from fitserve.enums import RunStatus
from tests.e2e_service import FITSERVE, ROOT, running, started
from tests.ops.doctor.test_doctor import doctor, verdicts
from tests.servers import IS_SCALE_OUT, files_of

pytestmark = [pytest.mark.e2e, pytest.mark.keras]
DATA = ROOT / "examples" / "data" / "diabetes.csv"
LONG = {
    "dataset": "diabetes",
    "target": "progression",
    "model_name": "long",
    "model": {"layers": [{"type": "Dense", "units": 8}, {"type": "Output"}]},
    "fit": {"epochs": 5000, "seed": 1},
}
HEAVY = LONG | {  # more epochs than any machine trains before the test looks
    "model": {"layers": [{"type": "Dense", "units": 1024}] * 2 + [{"type": "Output"}]},
    "fit": {"epochs": 60, "batch_size": 8, "seed": 1},
}
ROW = [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("up")) as (url, process), Client(url) as client:
        client.datasets.upload(DATA)
        yield client, psutil.Process(process.pid)


def part(process: psutil.Process, word: str) -> psutil.Process:
    """Wait for a process of the service that may be restarting; return the process."""
    named = lambda: [p for p in process.children() if word in " ".join(_line(p))]  # noqa: E731
    return until(named)[0]


def until(question, seconds=150.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {question}")


def home(process):
    line = process.cmdline()
    return Path(line[line.index("--home") + 1])


def wait_for_start(client, run_id):
    until(lambda: client.runs.get(run_id).progress.epoch > 1)


def wait_for_epochs(client, run_id):
    """Wait until more epochs of the run are recorded."""
    known = client.runs.get(run_id).progress.epoch
    until(lambda: client.runs.get(run_id).progress.epoch > known)


def test_a_run_is_trained_watched_and_served(service):
    """The real queue is used; every epoch is reported once and in order."""
    client, _ = service
    run = client.runs.create(ROOT / "examples" / "demo.json")
    epochs = []
    run = client.runs.wait(run.id, on_epoch=lambda event: epochs.append(event.epoch))
    assert run.status == RunStatus.SUCCEEDED
    assert epochs == client.runs.history(run.id).epoch == list(range(1, len(epochs) + 1))
    assert len(client.predict("diabetes", [ROW]).predictions) == 1


def test_the_api_has_no_tensorflow_and_is_small(service):
    """Private pages are few, and TensorFlow is not mapped.

    Resident memory also counts pages of the libraries' files. The kernel's cache
    decides how many of those are mapped: 92 to 130 MB for the same code. The private
    pages take 142 MB with SQLite and 146 MB with PostgreSQL.
    """
    _, process = service
    api = part(process, "service")
    memory = api.memory_info()
    assert memory.rss - memory.shared < 150e6
    assert memory.rss < 280e6
    assert not [m.path for m in api.memory_maps() if "tensorflow" in m.path]


def test_the_doctor_sees_every_part(service):
    """Database at head, broker, workers and port are ok."""
    client, process = service
    port = client.base_url.rpartition(":")[2]
    names = ("FITSERVE_DATABASE_URL", "FITSERVE_BROKER_URL")
    parts = {k: v for k, v in process.environ().items() if k in names}
    code, findings = doctor(home(process), FITSERVE_PORT=port, **parts)
    parts_found = verdicts(findings)
    workers = parts_found.pop("workers")  # the first heartbeat may be missing
    assert workers in ("ok", "warning")
    assert set(parts_found.values()) == {"ok"}, findings
    assert code == 0
    assert "fitserve answers" in findings["port"]["detail"]
    assert findings["broker"]["detail"] == "The broker answers."


@pytest.mark.heavy
def test_a_killed_child_loses_nothing(service):
    """SIGKILL on the training child: the second attempt continues at the last checkpoint."""
    client, process = service
    run = client.runs.create(HEAVY)
    folder = files_of(home(process)) / "checkpoints" / run.id
    until(lambda: list(folder.glob("*.npz")))
    for _ in range(2):  # the second heartbeat has recorded the checkpoint
        wait_for_epochs(client, run.id)
    for child in part(process, "workers runs").children():
        child.send_signal(signal.SIGKILL)
    run = client.runs.wait(run.id, timeout=120)
    assert (run.status, run.attempt, run.warnings) == (RunStatus.SUCCEEDED, 2, [])
    assert client.runs.history(run.id).epoch == list(range(1, 61))
    log = (home(process) / "logs" / "worker.log").read_text()
    assert f"run {run.id}: resumed at epoch" in log
    until(lambda: not list(folder.glob("*.npz")))


@pytest.mark.skipif(IS_SCALE_OUT, reason="an external broker has no reader on demand")
def test_a_large_upload_starts_the_reader(service, tmp_path):
    """The file has the size from which the reader reads."""
    client, process = service
    health = lambda: httpx.get(f"{client.base_url}/health/ready").json()  # noqa: E731
    until(lambda: health()["parts"]["workers"]["status"] == "ok")
    assert not [p for p in process.children() if "workers datasets" in " ".join(_line(p))]
    large = tmp_path / "large.csv"
    large.write_text("a,y\n" + "0.123456,0.654321\n" * 500_000)
    assert client.datasets.upload(large).num_rows == 500_000
    assert part(process, "workers datasets")


@pytest.mark.heavy
def test_a_killed_process_is_restarted(service):
    """API and broker are killed; a run that is posted at once succeeds."""
    client, process = service
    for word in ("service",) if IS_SCALE_OUT else ("redis-server", "service"):
        part(process, word).send_signal(signal.SIGKILL)
    run = until(lambda: quietly(lambda: client.runs.create(LONG, fit={"epochs": 2})))
    assert client.runs.wait(run.id, timeout=120).status == RunStatus.SUCCEEDED


def quietly(action):
    try:
        return action()
    except FitserveError:
        return None


@pytest.mark.heavy
def test_deleting_the_brokers_files_loses_nothing(service):
    """Every queued run ends after the broker's folder or all of its keys are deleted."""
    client, process = service
    ids = [client.runs.create(LONG, fit={"epochs": 2}).id for _ in range(3)]
    if IS_SCALE_OUT:
        with redis.Redis.from_url(process.environ()["FITSERVE_BROKER_URL"]) as broker:
            broker.flushall()
    else:
        shutil.rmtree(home(process) / "broker")
        part(process, "redis-server").send_signal(signal.SIGKILL)
    for run_id in ids:
        assert client.runs.wait(run_id, timeout=120).status == RunStatus.SUCCEEDED


@pytest.mark.heavy
def test_cancel_stops_a_running_run_soon(service):
    """The run is cancelled within 20 s, and its best weights are kept."""
    client, _ = service
    run = client.runs.create(LONG)
    wait_for_start(client, run.id)
    client.runs.cancel(run.id)
    run = client.runs.wait(run.id, timeout=20)
    assert run.status == RunStatus.CANCELLED
    assert run.model_version is not None


def test_a_second_service_on_the_same_home_is_refused(service):
    _, process = service
    again = subprocess.run(
        [FITSERVE, "up", "--port", "0", "--home", home(process)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 2
    assert "Another `fitserve up`" in again.stderr


def test_a_public_address_without_a_key_is_refused(tmp_path):
    done = subprocess.run(
        [FITSERVE, "up", "--host", "0.0.0.0", "--port", "0", "--home", tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={k: v for k, v in os.environ.items() if k != "FITSERVE_API_KEY"},
    )
    assert done.returncode == 2
    assert "FITSERVE_API_KEY" in done.stderr


@pytest.mark.heavy
def test_a_restart_on_the_same_home_keeps_predictions_and_continues_runs(tmp_path):
    """A run that was running at the stop ends after the restart."""
    with running(tmp_path) as (url, _), Client(url) as client:
        client.datasets.upload(DATA)
        run = client.runs.create(ROOT / "examples" / "demo.json")
        client.runs.wait(run.id)
        before = client.predict("diabetes", [ROW]).predictions
        unfinished = client.runs.create(HEAVY)
        wait_for_start(client, unfinished.id)
    assert not [p for p in psutil.process_iter() if str(tmp_path) in " ".join(_line(p))]
    saved = (files_of(tmp_path) / "checkpoints" / unfinished.id).glob("*.npz")
    epoch = max(int(file.stem.split("-")[1]) for file in saved)
    with started(tmp_path, "--json") as (line, process):
        client = Client(started_json(line, process, tmp_path)["url"])
        assert client.predict("diabetes", [ROW]).predictions == before
        assert client.runs.wait(unfinished.id, timeout=120).status == RunStatus.SUCCEEDED
        client.close()
    log = (tmp_path / "logs" / "worker.log").read_text()
    assert re.search(rf"run {unfinished.id}: resumed at epoch {epoch}\b", log)


def started_json(line, process, home):
    """Return the JSON that `up --json` prints, after checks of key, files and processes."""
    service = json.loads(line)
    assert (service["key"], service["home"], service["logs"]) == (
        "none",
        str(home),
        str(home / "logs"),
    )
    pids = dict(service["pids"])
    assert {"API", "worker"} < pids.keys()
    assert ("reader" in pids) == IS_SCALE_OUT
    assert pids.pop("supervisor") == process.pid
    children = psutil.Process(process.pid).children()
    assert set(pids.values()) == {child.pid for child in children}
    return service


def _line(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
