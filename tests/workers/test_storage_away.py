"""While the store of files is away, runs and uploads wait, and requests say why."""

import threading

import pytest

from core.datasets.ingest import Ingest, Reader
from core.errors import StorageUnavailable
from core.settings import StorageRules
from service import upload_flow
from tests import s3
from tests.conftest import QUICK, bench_in
from tests.core.storage import faulty_proxy as proxies
from tests.problems import assert_problem
from tests.timing import until

CSV = "x,y\n" + "".join(f"{i % 17},{3 * i + i % 5}\n" for i in range(120))
SPEC = {
    "dataset": "table",
    "target": "y",
    "model_name": "m",
    "model": {"layers": [{"type": "Dense", "units": 4}, {"type": "Output"}]},
    "fit": {"epochs": 6, "seed": 1, "batch_size": 16},
}


@pytest.fixture
def proxy():
    with proxies.proxy_of(s3.rclone().endpoint).serving() as proxy:
        yield proxy


@pytest.fixture
def bench(proxy, monkeypatch, tmp_path, broker_url):
    rules = StorageRules(timeout_seconds=0.5, retry_seconds=0.5)
    url = s3.rclone().new_url(monkeypatch, proxy.endpoint)
    with bench_in(tmp_path / "home", broker_url, storage_url=url, storage=rules) as bench:
        yield bench


def failing(method, part):
    """Return a fault of the requests whose path contains `part`."""

    def fault(exchange):
        is_meant = exchange.command == method and part in exchange.path
        return is_meant and proxies.overloaded(exchange)

    return fault


@pytest.mark.keras
@pytest.mark.parametrize(
    ("method", "part"),
    [("GET", "checkpoints/"), ("HEAD", "table-"), ("PUT", "model.keras"), ("PUT", "report.json")],
)  # fmt: skip
def test_a_run_waits_and_continues_from_its_checkpoint(
    bench, proxy, caplog, method, part
):
    """The attempts without the store are not counted, and the end is as without a fault."""
    bench.upload(CSV)
    run_id = bench.post(SPEC)
    assert bench.execute(run_id, lambda: True)["status"] == "queued"
    _forget_copies(bench)
    proxy.faults.append(failing(method, part))
    for _ in range(4):  # more often than a run may be tried
        waiting = bench.execute(run_id)
        assert waiting["status"] == "queued", waiting["error"]
    assert ["did not answer" in line for line in waiting["warnings"]].count(True) == 1
    proxy.faults.clear()
    caplog.set_level("INFO")
    run = bench.execute(run_id)
    assert run["status"] == "succeeded", run["error"]
    assert f"run {run_id}: resumed at epoch 1" in caplog.messages
    history = bench.client.get(f"/v1/runs/{run_id}/history").json()
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    report = bench.client.get(f"/v1/runs/{run_id}/report").json()
    assert report["status"] == "ready"


@pytest.mark.keras
def test_a_cancelled_run_does_not_wait_for_the_store(bench, proxy):
    """A user may cancel it while it tries to read its table."""
    bench.upload(CSV)
    run_id = bench.post(SPEC)
    _forget_copies(bench)

    def cancel(exchange):
        if "table-" not in exchange.path:
            return False
        assert bench.client.post(f"/v1/runs/{run_id}/cancel").status_code == 202
        return proxies.denied(exchange)

    proxy.faults.append(cancel)
    run = bench.execute(run_id)
    assert (run["status"], run["stop_reason"]) == ("cancelled", "cancelled")


def _forget_copies(bench):
    for copy in (bench.settings.files_dir / "cache").iterdir():
        copy.unlink()


def test_a_large_upload_waits_for_the_store(bench, proxy, monkeypatch):
    """The dataset stays in its first attempt, and is then read."""
    monkeypatch.setattr(upload_flow, "_MAX_ANSWER_WAIT", 0.0)
    bench.settings.limits.max_inline_bytes = 10
    dataset = bench.upload(CSV)
    _forget_copies(bench)
    proxy.faults.append(failing("GET", "content.csv"))
    times = QUICK.model_copy(update={"heartbeat_seconds": 0.1})
    reader = Reader(bench.storage, bench.settings.limits)
    ingest = Ingest(bench.database, reader, times)
    thread = threading.Thread(target=ingest.attempt, args=[dataset["id"]])
    thread.start()
    until(lambda: proxy.count("GET") > 10)
    assert _dataset(bench, dataset)["status"] == "processing"
    proxy.faults.clear()
    thread.join(60)
    read = _dataset(bench, dataset)
    assert (read["status"], read["num_rows"]) == ("ready", 120), read["error"]


def test_a_worker_that_stops_does_not_wait(bench, proxy, monkeypatch):
    """Its lease expires, and another worker reads the upload."""
    monkeypatch.setattr(upload_flow, "_MAX_ANSWER_WAIT", 0.0)
    bench.settings.limits.max_inline_bytes = 10
    dataset = bench.upload(CSV)
    _forget_copies(bench)
    proxy.faults.append(failing("GET", "content.csv"))
    reader = Reader(bench.storage, bench.settings.limits)
    ingest = Ingest(bench.database, reader, QUICK, is_stopping=lambda: True)
    with pytest.raises(StorageUnavailable):
        ingest.attempt(dataset["id"])
    assert _dataset(bench, dataset)["status"] == "processing"


def _dataset(bench, dataset):
    return bench.client.get(f"/v1/datasets/{dataset['id']}").json()


def test_requests_say_that_the_store_is_away(bench, proxy):
    """Nothing is stored or lost, and the same requests succeed afterwards."""
    bench.upload(CSV)
    gets = ["/v1/datasets/table/rows", "/v1/datasets/table/content"]
    proxy.faults.append(proxies.overloaded)
    upload = bench.client.post("/v1/datasets", params={"name": "new"}, content=CSV)
    for answer in [upload, *(bench.client.get(path) for path in gets)]:
        assert_problem(answer, 503, "storage-unavailable")
        assert answer.headers["Retry-After"] == "1"
    ready = bench.client.get("/health/ready")
    assert (ready.status_code, ready.json()["parts"]["storage"]["status"]) == (
        200,
        "degraded",
    )
    proxy.faults.clear()
    assert bench.client.get("/v1/datasets/new").status_code == 404
    bench.upload(CSV, name="new")
    assert bench.client.get(gets[0]).json()["total"] == 120
    assert bench.client.get(gets[1]).text == CSV


def test_a_deletion_succeeds_without_the_store(bench, proxy):
    """The janitor deletes the files later."""
    bench.upload(CSV)
    proxy.faults.append(proxies.overloaded)
    assert bench.client.delete("/v1/datasets/table").status_code == 204
    assert bench.client.get("/v1/datasets/table").status_code == 404


@pytest.mark.keras
def test_a_network_with_a_copy_predicts_without_the_store(bench, proxy):
    """Its hash is checked; a network without a copy gets the problem."""
    bench.upload(CSV)
    for _ in range(2):
        assert bench.train(SPEC)["status"] == "succeeded"
    body = {"instances": [{"x": 3}]}
    paths = [f"/v1/models/m/versions/{number}/predict" for number in (1, 2)]
    first = bench.client.post(paths[0], json=body)
    assert first.status_code == 200
    predictor = bench.client.app.state.services.predictor
    for version_id in list(predictor.cache._loaded):
        predictor.cache.drop(version_id)
    proxy.faults.append(proxies.overloaded)
    assert bench.client.post(paths[0], json=body).json() == first.json()
    for copy in (bench.settings.files_dir / "cache").iterdir():
        copy.unlink()
    for version_id in list(predictor.cache._loaded):
        predictor.cache.drop(version_id)
    assert_problem(bench.client.post(paths[1], json=body), 503, "storage-unavailable")
