"""A service on nine hosts keeps its promise while cables are cut and hosts are killed.

The hosts are network namespaces; `pytest -s` prints the steps. The fit is the stand-in of
the chaos suite, and its checker decides at the end.
"""

import json
import subprocess
import sys
import time

import httpx
import pytest

from tests.chaos.checker import violations
from tests.chaos.client import KEY
from tests.chaos.cluster import Restarter, until
from tests.chaos.rows.api import Load
from tests.chaos.rows.workers import at_epoch, succeeded, taken_up
from tests.hosts.cluster import host_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.heavy]
LONG = 200
"""Epochs of a run of about ten seconds."""
SERVED = (5, 4)
"""Seed and epochs of the version that serves during the faults."""
LET_GO = "another worker holds it"


def test_cut_cables_and_killed_hosts_break_no_promise(hosts, folder, monkeypatch, steps):
    """Nothing is lost and nothing happens twice."""
    with host_cluster(hosts, folder) as built:
        for name, value in built.store.environment.items():
            monkeypatch.setenv(name, value)  # for the checker
        _one_key_for_all(built)
        succeeded(built, built.client.post(*SERVED, model="p"))
        steps(f"two APIs, two workers and a reader on {hosts.subnet} are ready")
        with Restarter(built), Load(built, {1: SERVED}, pause=0.2) as load:
            _cut_off_while_it_trains(built, steps)
            _cut_off_until_the_end(built, steps)
            _kill_a_worker(built, steps)
            _restart_the_store(built, steps)
            _cut_off_an_api(built, steps)
        steps(f"{load.answered} predictions answered, {load.broken} without an answer")
        assert load.answered > 20
        _check(built, steps)


def _check(built, steps):
    """Run the checker of the chaos suite, and compare the runs with those accepted."""
    assert violations(built, allowed=(503,)) == []
    accepted = built.request_log.accepted
    listed = built.client.insist("GET", "/v1/runs?limit=200").json()["items"]
    assert {run["id"] for run in listed} == set(accepted)
    steps(f"the checker found nothing: {len(accepted)} runs accepted, each ended once")


def _one_key_for_all(built):
    """A key that one API made is known to the other: both have the same pepper."""
    spec = {"name": "hosts", "scopes": ["runs:read"]}
    made = built.client.insist("POST", "/v1/keys", json=spec).json()
    for url in built.urls:
        headers = {"Authorization": f"Bearer {made['key']}"}
        assert httpx.get(f"{url}/v1/runs", headers=headers).status_code == 200, url


def _cut_off_while_it_trains(built, steps):
    """A worker is away for longer than its lease; when it is back, its attempt is refused."""
    run_id = built.client.post(11, LONG)
    at_epoch(built, run_id)
    worker = built.holder(run_id)
    host = built.host_of(worker)
    host.cut()
    steps(f"{host.name} is cut off, with {run_id} at epoch {built.client.epochs(run_id)}")
    taken_up(built, run_id)
    others = [built.client.post(seed, 6) for seed in (12, 13)]
    until(lambda: _notes(worker, "OperationalError"))
    assert not host.reaches(built.store.host.address, built.store.port)
    other = next(one for one in built.worker_hosts if one is not host)
    assert [_attempts(built, one, run_id) for one in (host, other)] == [[1], [2]]
    steps(f"{other.name} has attempt 2, and {host.name} logs that it has no database")
    refused = _notes(worker, LET_GO)
    host.heal()
    until(lambda: _notes(worker, LET_GO) > refused)
    steps(f"{host.name} is back, and gave up attempt 1: {LET_GO!r}")
    for one in (run_id, *others):
        succeeded(built, one)
    assert built.client.read(run_id)["attempt"] == 2
    steps(f"{run_id} succeeded in attempt 2")


def _cut_off_until_the_end(built, steps):
    """A worker trains to the end while it is away, and finds its run ended."""
    run_id = built.client.post(21, 60)
    at_epoch(built, run_id)
    worker = built.holder(run_id)
    host = built.host_of(worker)
    ends = _ends_without_effect(worker)
    host.cut()
    succeeded(built, run_id)
    steps(f"{host.name} is cut off; {run_id} succeeded on the other worker")
    until(lambda: _ends_without_effect(worker) > ends)
    host.heal()
    steps(f"{host.name} is back; its own attempt ended without an effect")


def _kill_a_worker(built, steps):
    run_id = built.client.post(31, LONG)
    at_epoch(built, run_id)
    worker = built.holder(run_id)
    worker.kill()
    taken_up(built, run_id)
    steps(f"{built.host_of(worker).name} is killed; {run_id} has attempt 2")
    succeeded(built, run_id)


def _restart_the_store(built, steps):
    """The store is away for longer than requests to it are repeated."""
    run_id = built.client.post(41, LONG)
    at_epoch(built, run_id)
    built.store.kill()
    answer = built.client.ask("POST", "/v1/datasets?name=away", content="x,y\n1,2\n" * 40)
    assert answer is None or answer.status_code == 503, answer.text
    time.sleep(5)
    built.store.start()
    steps("the store was away for 5 s, and an upload was refused meanwhile")
    built.client.upload("after")
    succeeded(built, run_id)
    steps(f"{run_id} succeeded, and an upload was stored")


def _cut_off_an_api(built, steps):
    """Runs are posted through both addresses while one of them does not answer."""
    host = built.api_hosts[1]
    host.cut()
    ids = [built.client.post(seed, 6) for seed in range(50, 58)]
    for run_id in ids:
        succeeded(built, run_id)
    ready = _readiness_on(host)
    assert ready["parts"]["database"]["status"] == "failed", ready
    steps(f"{host.name} is cut off: {len(ids)} runs posted and ended; it is not ready")
    host.heal()
    until(lambda: _is_ready(built.urls[1]))
    steps(f"{host.name} is back, and ready")


def _notes(worker, sentence):
    return worker.log_text().count(sentence)


def _ends_without_effect(worker):
    """Return how many attempts of a worker ended without a write to the database."""
    return _notes(worker, LET_GO) + _notes(worker, "raised unexpected: OperationalError")


def _attempts(built, host, run_id):
    return [attempt for one, attempt, _ in built.executions_on(host) if one == run_id]


def _readiness_on(host):
    """Return what the API on a host answers to a client on the same host."""
    code = "import httpx, sys; print(httpx.get(sys.argv[1] + '/health/ready', timeout=9).text)"
    url = f"http://{host.address}:8000"
    command = [*host.prefix, sys.executable, "-c", code, url]
    return json.loads(subprocess.check_output(command, text=True))


def _is_ready(url):
    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        answer = httpx.get(f"{url}/health/ready", headers=headers, timeout=3)
    except httpx.TransportError:
        return False
    return answer.status_code == 200
