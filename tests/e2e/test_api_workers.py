"""Test several API processes on one address, with promotions under load."""

import http.client
import threading
import time
from collections import Counter

import httpx
import psutil
import pytest

from fitserve import Client
from tests.e2e_service import ROOT, running

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
DATA = ROOT / "examples" / "data" / "diabetes.csv"
ROW = [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]
PATH = "/v1/models/m/aliases/live/predict"
BODY = {"instances": [ROW]}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """Start three API processes, and train two versions with different predictions."""
    home = tmp_path_factory.mktemp("workers")
    with running(home, FITSERVE_API_WORKERS="3") as (url, process), Client(url) as client:
        client.datasets.upload(DATA)
        for seed in (1, 2):
            spec = {"dataset": "diabetes", "target": "progression", "model_name": "m"}
            client.runs.wait(client.runs.create(spec, fit={"epochs": 1, "seed": seed}).id)
        client.models.set_alias("m", "live", 1)
        yield url, client, psutil.Process(process.pid)


def asked(url, count):
    """Count the versions that answer over so many connections, to reach every process."""
    found = Counter()
    for _ in range(count):
        answer = httpx.post(url + PATH, json=BODY)
        assert answer.status_code == 200, answer.text
        found[answer.json()["model_version"]] += 1
    return found


def test_every_process_answers(service):
    """Three processes share the connections."""
    url, _, process = service
    parts = [part for part in process.children() if "service" in part.cmdline()]
    assert len(parts) == 3
    address = url.removeprefix("http://")
    used = set()
    for _ in range(60):
        connection = http.client.HTTPConnection(address)
        connection.request("GET", "/health/live")
        assert connection.getresponse().status == 200
        mine = connection.sock.getsockname()[1]
        peers = {
            p.pid: {c.raddr.port for c in p.net_connections() if c.raddr} for p in parts
        }
        used |= {pid for pid, ports in peers.items() if mine in ports}
        connection.close()
    assert len(used) > 1


def test_a_hundred_promotions_under_load(service):
    """No request fails at 50 per second, and each answer is from exactly one version."""
    url, client, _ = service
    truth = {n: client.predict("m", [ROW], version=n).predictions for n in (1, 2)}
    assert truth[1] != truth[2]
    found, stopped = [], threading.Event()

    def load():
        with httpx.Client(base_url=url) as session:
            while not stopped.wait(0.1):
                answer = session.post(PATH, json=BODY)
                found.append((answer.status_code, answer.json()))

    threads = [threading.Thread(target=load) for _ in range(5)]
    for thread in threads:
        thread.start()
    for i in range(100):
        client.models.set_alias("m", "live", 1 + i % 2)
        time.sleep(0.05)
    stopped.set()
    for thread in threads:
        thread.join()
    assert len(found) > 100
    assert {status for status, _ in found} == {200}
    for _, answer in found:  # rows of a shared call may differ in the last bits
        assert answer["predictions"] == pytest.approx(
            truth[answer["model_version"]], 1e-5
        )
    assert {answer["model_version"] for _, answer in found} == {1, 2}


def test_a_promotion_reaches_every_process_within_a_second(service):
    url, client, _ = service
    for number in (2, 1, 2):
        client.models.set_alias("m", "live", number)
        time.sleep(1)
        assert asked(url, 30) == {number: 30}


def test_a_new_version_reaches_every_process_within_a_second(service):
    """Requests that name no version get the newest one."""
    url, client, _ = service
    with httpx.Client(base_url=url) as session:
        spec = {"dataset": "diabetes", "target": "progression", "model_name": "m"}
        run = client.runs.create(spec, fit={"epochs": 1, "seed": 3})
        run = client.runs.wait(run.id)
        time.sleep(1)
        for _ in range(30):
            answer = session.post("/v1/predict", json={"model": "m", **BODY}).json()
            assert answer["model_version"] == run.model_version


def test_the_metrics_cover_every_process(service):
    """Every process reports the same sum, as requests over many connections show."""
    url, _, process = service
    time.sleep(2.5)  # each process shares its metrics once a second
    before = predictions(url)
    asked(url, 40)
    time.sleep(2.5)
    assert {predictions(url) for _ in range(12)} == {before + 40}
    figures = httpx.get(f"{url}/metrics").text
    assert "fitserve_api_processes 3.0" in figures
    parts = [part for part in process.children() if "service" in part.cmdline()]
    parts[0].kill()
    parts[0].wait()
    time.sleep(2.5)
    assert {predictions(url) for _ in range(12)} == {before + 40}


def predictions(url):
    labels = '{model="m",workspace="default"}'
    name = f"fitserve_predict_duration_seconds_count{labels} "
    page = httpx.get(f"{url}/metrics").text
    return sum(float(li.split()[-1]) for li in page.splitlines() if li.startswith(name))
