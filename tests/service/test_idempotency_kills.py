"""Many requests with few keys while the API is killed create one run per key.

FITSERVE_TEST_KEYS=200 FITSERVE_TEST_PARALLEL=10 pytest -s tests/service/test_idempotency_kills.py
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from core.database.sessions import Database
from core.runs.tables import Run
from service.idempotency import HEADER
from tests.live import free_port

pytestmark = pytest.mark.heavy

KEYS = int(os.environ.get("FITSERVE_TEST_KEYS", "12"))
PARALLEL = int(os.environ.get("FITSERVE_TEST_PARALLEL", "6"))
KILLS = int(os.environ.get("FITSERVE_TEST_KILLS", str(max(2, KEYS // 20))))
SEED = int(os.environ.get("FITSERVE_TEST_SEED", str(random.randrange(10**6))))
CSV = "x,y\n" + "".join(f"{i},{3 * i + 1}\n" for i in range(40))


class Api:
    """An API process that is killed and started again on the same port."""

    def __init__(self, environment):
        self.port = free_port()
        self.environment = {**environment, "FITSERVE_PORT": str(self.port)}
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = [sys.executable, "-m", "service"]
        environment = {**os.environ, **self.environment}
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.DEVNULL
        )

    def until_ready(self):
        for _ in range(600):
            try:
                return httpx.get(f"{self.url}/health/live")
            except httpx.TransportError:
                time.sleep(0.05)
        raise TimeoutError

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def apis(database_url, broker_url, tmp_path):
    """Start two API processes on one database."""
    environment = {
        "FITSERVE_HOME": str(tmp_path / "home"),
        "FITSERVE_DATABASE_URL": database_url,
        "FITSERVE_BROKER_URL": broker_url,
        "FITSERVE_RUNS__IDEMPOTENCY_LEASE_SECONDS": "2",
        "FITSERVE_LIMITS__MAX_QUEUED_RUNS": "100000",
    }
    apis = [Api(environment) for _ in range(2)]
    for api in apis:
        api.until_ready()
    yield apis
    for api in apis:
        api.kill()


class Senders:
    """Threads that send each key until it is answered, and count the answers."""

    def __init__(self, apis):
        self.apis = apis
        self.seen = Counter()
        self.answered = 0
        self.is_over = threading.Event()
        limits = httpx.Limits(max_connections=PARALLEL * 4)
        self.http = httpx.Client(timeout=60, limits=limits)

    def ask(self, key, number):
        """Send a key until a run answers; return status, Location and body."""
        api = self.apis[number % 2]
        body = {"dataset": "table", "target": "y", "tags": {"key": key}}
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                answer = self.http.post(
                    f"{api.url}/v1/runs", json=body, headers={HEADER: key}
                )
            except httpx.TransportError as error:
                self.seen[type(error).__name__] += 1
                time.sleep(0.2)
                continue
            self.seen[answer.status_code, answer.headers.get("idempotent-replayed")] += 1
            if answer.status_code == 202:
                self.answered += 1
                return answer.status_code, answer.headers["location"], answer.text
            assert answer.status_code == 409, answer.text
            time.sleep(float(answer.headers["retry-after"]) * random.uniform(0.2, 1))
        raise TimeoutError(key)

    def kill_now_and_then(self, choice):
        """Kill the processes in turn after random numbers of answers."""
        whole = KEYS * PARALLEL
        for number, mark in enumerate(
            sorted(choice.sample(range(whole * 3 // 4), KILLS))
        ):
            while self.answered < mark:
                if self.is_over.wait(0.002):
                    return
            api = self.apis[number % 2]
            api.kill()
            self.seen["killed"] += 1
            api.start()
            api.until_ready()

    def all_answers(self):
        """Return by key the answers to all its duplicates."""
        keys = [f"key-{number}" for number in range(KEYS)]
        with ThreadPoolExecutor(PARALLEL * 4) as pool:
            futures = {
                key: [pool.submit(self.ask, key, n) for n in range(PARALLEL)]
                for key in keys
            }
            return {
                key: [one.result() for one in several] for key, several in futures.items()
            }


def test_each_key_creates_one_run_although_the_api_is_killed(apis, database_url):
    """All duplicates get one answer, and another body with the key is 422."""
    url = f"{apis[0].url}/v1/datasets?name=table"
    httpx.post(url, content=CSV, timeout=60).raise_for_status()
    senders, began = Senders(apis), time.monotonic()
    killer = threading.Thread(
        target=senders.kill_now_and_then, args=[random.Random(SEED)]
    )
    killer.start()
    try:
        answers = senders.all_answers()
    finally:
        senders.is_over.set()
        senders.http.close()
        killer.join()
    seconds = time.monotonic() - began
    summary = f"seed {SEED}, {KEYS} x {PARALLEL} in {seconds:.0f} s: {dict(senders.seen)}"
    sys.stderr.write(f"\n{summary}\n")
    assert all(len(set(several)) == 1 for several in answers.values())
    runs = [json.loads(several[0][2]) for several in answers.values()]
    database = Database(database_url)
    with database.read() as session:
        made = {run.id: run.tags["key"] for run in session.query(Run)}
    database.close()
    assert made == {run["id"]: run["tags"]["key"] for run in runs}
    assert senders.seen["killed"] == KILLS
    for api in apis:
        other = {"dataset": "table", "target": "x"}
        url, headers = f"{api.url}/v1/runs", {HEADER: "key-0"}
        answer = httpx.post(url, json=other, headers=headers, timeout=60)
        assert answer.status_code == 422
