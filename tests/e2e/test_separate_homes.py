"""An API and a worker with separate homes share only database, broker and bucket."""

import hashlib
import shutil
import time

import httpx
import pytest

from core.settings import Settings
from core.storage import open_storage
from fitserve import Client
from tests import s3
from tests.chaos.processes import ManagedProcess
from tests.e2e_service import ROOT
from tests.live import free_port
from tests.servers import postgres_at_head
from tests.timing import until

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
DATA = ROOT / "examples" / "data" / "diabetes.csv"
SPEC = {"dataset": "diabetes", "target": "progression", "model_name": "m"}
LAYERS = {"layers": [{"type": "Dense", "units": 8}, {"type": "Output"}]}


class Hosts:
    """An API and a worker as on two hosts, and the store that both reach."""

    def __init__(self, folder, broker_url):
        self.folder = folder
        (folder / "store" / s3.BUCKET).mkdir(parents=True)
        self.store_port, port = free_port(), free_port()
        self.start_store()
        self.url = f"http://127.0.0.1:{port}"
        self.aws = s3.environment(f"http://127.0.0.1:{self.store_port}")
        self.storage_url = f"s3://{s3.BUCKET}/files"
        self._shared = self.aws | {
            "FITSERVE_DATABASE_URL": postgres_at_head(),
            "FITSERVE_BROKER_URL": broker_url,
            "FITSERVE_STORAGE_URL": self.storage_url,
            "FITSERVE_STORAGE__TIMEOUT_SECONDS": "1",
            "FITSERVE_STORAGE__RETRY_SECONDS": "1",
            "FITSERVE_RUNS__JANITOR_SECONDS": "0.5",
            "FITSERVE_RUNS__REQUEUE_AFTER_SECONDS": "1",
            "FITSERVE_RUNS__CHECKPOINT_SECONDS": "0.5",
            "FITSERVE_LIMITS__MAX_INLINE_BYTES": "1000",  # the worker reads every upload
            "FITSERVE_PORT": str(port),
        }
        self.api = self._started("service")
        self.worker = self._started("workers")
        until(self._is_ready, 120)

    def start_store(self):
        self.store = s3.start_rclone(self.folder / "store", self.store_port)

    def stop_store(self):
        self.store.kill()
        self.store.wait()

    def _started(self, module):
        home = self.folder / module
        environment = self._shared | {"FITSERVE_HOME": str(home)}
        return ManagedProcess(module, environment, self.folder / f"{module}.log")

    def _is_ready(self):
        try:
            ready = httpx.get(f"{self.url}/health/ready", timeout=5)
        except httpx.TransportError:
            return False
        return ready.json()["status"] == "ok"

    def stop(self):
        for process in (self.worker, self.api):
            process.terminate()
        self.stop_store()


@pytest.fixture
def hosts(tmp_path, broker_url):
    hosts = Hosts(tmp_path, broker_url)
    yield hosts
    hosts.stop()


@pytest.fixture
def client(hosts):
    with Client(hosts.url) as client:
        yield client


def test_a_table_becomes_a_model_without_a_shared_folder(hosts, client, monkeypatch):
    """Upload, train, append, predict, report, download and delete; no file is left."""
    for name, value in hosts.aws.items():
        monkeypatch.setenv(name, value)
    folder = hosts.folder
    client.datasets.upload(DATA)
    run = client.runs.wait(client.runs.create(SPEC, model=LAYERS, fit={"epochs": 3}).id)
    assert run.status == "succeeded", run.error
    appended = client.datasets.append(DATA, "diabetes")
    assert appended.num_rows == 2 * client.datasets.get("diabetes@1").num_rows
    predicted = client.predict_file("m", DATA)
    assert len(predicted) > 400
    assert client.models.report("m", 1).status == "ready"
    for artifact in client.models.version("m", 1).artifacts:
        path = client.models.download("m", 1, artifact.name, folder / artifact.name)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        assert found == artifact.sha256
    content = client.datasets.content("diabetes@1", folder / "copy.csv")
    assert content.read_bytes() == DATA.read_bytes()
    shutil.rmtree(folder / "service" / "files" / "cache")
    assert client.predict_file("m", DATA) == predicted
    for home in ("service", "workers"):
        files = [p for p in (folder / home / "files").rglob("*") if p.is_file()]
        assert {path.parent.name for path in files} <= {"cache"}, files
    client.models.delete("m")
    for version in list(client.datasets.list()):
        client.datasets.delete(version.id)
    storage = open_storage(
        Settings(home=folder / "checker", storage_url=hosts.storage_url)
    )
    left = [key for part in ("datasets", "runs") for key in storage.list(part)]
    assert left == []


def test_a_run_survives_a_restart_of_the_store(hosts, client):
    """The store is away when the run saves its network, and for several attempts."""
    client.datasets.upload(DATA)
    run_id = client.runs.create(SPEC, model=LAYERS, fit={"epochs": 400, "seed": 1}).id
    until(lambda: client.runs.get(run_id).status == "running", 60)
    hosts.stop_store()
    until(lambda: "waited" in " ".join(client.runs.get(run_id).warnings), 120)
    ready = httpx.get(f"{hosts.url}/health/ready").json()
    assert ready["parts"]["storage"]["status"] == "degraded"
    time.sleep(5)
    assert client.runs.get(run_id).status in ("queued", "running")
    hosts.start_store()
    run = client.runs.wait(run_id)
    assert run.status == "succeeded", run.error
    assert client.runs.history(run_id).epoch == list(range(1, 401))
    assert len(client.predict_file("m", DATA)) > 400
