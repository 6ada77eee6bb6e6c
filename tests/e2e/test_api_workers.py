"""Several API processes on one address: promotions under load, in force everywhere."""

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
    """Three API processes and two versions that answer differently."""
    home = tmp_path_factory.mktemp("workers")
    with running(home, FITSERVE_API_WORKERS="3") as (url, process), Client(url) as client:
        client.datasets.upload(DATA)
        for seed in (1, 2):
            spec = {"dataset": "diabetes", "target": "progression", "model_name": "m"}
            client.runs.wait(client.runs.create(spec, fit={"epochs": 1, "seed": seed}).id)
        client.models.set_alias("m", "live", 1)
        yield url, client, psutil.Process(process.pid)


def asked(url, count):
    """Answers over as many connections, so that every process has its share."""
    found = Counter()
    for _ in range(count):
        answer = httpx.post(url + PATH, json=BODY)
        assert answer.status_code == 200, answer.text
        found[answer.json()["model_version"]] += 1
    return found


def test_every_process_answers(service):
    """Three of them, each with connections of its own."""
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
    """50 requests a second see no error, and every answer is one version's own."""
    url, client, _ = service
    truth = {n: client.predict("m", [ROW], version=n).predictions for n in (1, 2)}
    assert truth[1] != truth[2]
    found, stopped = [], threading.Event()

    def load():
        with httpx.Client(base_url=url) as asking:
            while not stopped.wait(0.1):
                answer = asking.post(PATH, json=BODY)
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
    for _, told in found:  # rows that share a call may differ in the last bits
        assert told["predictions"] == pytest.approx(truth[told["model_version"]], 1e-5)
    assert {told["model_version"] for _, told in found} == {1, 2}


def test_a_promotion_is_in_force_everywhere_within_a_second(service):
    """In all processes, on connections old and new."""
    url, client, _ = service
    for number in (2, 1, 2):
        client.models.set_alias("m", "live", number)
        time.sleep(1)
        assert asked(url, 30) == {number: 30}


def test_a_new_version_serves_everywhere_within_a_second(service):
    """The newest one, for those who name none."""
    url, client, _ = service
    with httpx.Client(base_url=url) as asking:
        spec = {"dataset": "diabetes", "target": "progression", "model_name": "m"}
        run = client.runs.create(spec, fit={"epochs": 1, "seed": 3})
        run = client.runs.wait(run.id)
        time.sleep(1)
        for _ in range(30):
            told = asking.post("/v1/predict", json={"model": "m", **BODY}).json()
            assert told["model_version"] == run.model_version


def test_the_figures_are_those_of_every_process(service):
    """Asked over many connections: whoever answers tells the same sum."""
    url, _, process = service
    time.sleep(2.5)  # each process shares once a second, so what came before is told now
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
