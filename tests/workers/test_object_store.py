"""Test a service whose files are in a bucket of rclone's S3 server."""

import hashlib
import io

import numpy as np
import pytest

from core.datasets.ingest import Ingest, Reader
from core.orphan_files import remove_orphan_files
from core.settings import ReportRules, Settings
from core.storage import open_storage
from service import upload_flow
from tests import s3
from tests.conftest import QUICK, bench_in
from tests.problems import assert_problem
from tests.stored import store

pytestmark = pytest.mark.keras
CSV = "x,code,k,y\n" + "".join(
    f"{i % 17},0{i % 3},{'abc'[i % 3]},{3 * i + i % 5}\n" for i in range(120)
)
SPEC = {
    "dataset": "table",
    "target": "y",
    "model_name": "m",
    "features": {"types": {"code": "categorical"}},
    "model": {"layers": [{"type": "Dense", "units": 4}, {"type": "Output"}]},
    "fit": {"epochs": 6, "seed": 1, "batch_size": 16, "validation_dataset": "held"},
}
ROW = {"x": 3, "code": "01", "k": "b"}


@pytest.fixture
def storage_url(monkeypatch):
    return s3.rclone().new_url(monkeypatch)


@pytest.fixture
def objects(storage_url, tmp_path):
    """Return the storage of `bench`, with a cache of its own."""
    return open_storage(Settings(home=tmp_path / "other", storage_url=storage_url))


@pytest.fixture
def bench(objects, storage_url, tmp_path, broker_url):
    """Start a service with a bucket; check at the end that only copies are on its disk."""
    given = {"storage_url": storage_url, "report": ReportRules()}
    with bench_in(tmp_path / "home", broker_url, **given) as bench:
        yield bench
        files = [p for p in bench.settings.files_dir.rglob("*") if p.is_file()]
        assert {path.parent.name for path in files} <= {"cache"}


@pytest.fixture(params=["in memory", "streamed"])
def rows_are(request, monkeypatch):
    """Select whether the fit keeps its rows in memory or reads them in every epoch."""
    from workers.training import batches, splits

    if request.param == "streamed":
        for module in (splits, batches):
            monkeypatch.setattr(module, "LARGEST_IN_MEMORY", 0)


def interrupt(bench, objects, run_id):
    """Stop the run after its first epoch; its checkpoint is an object."""
    assert bench.execute(run_id, lambda: True)["status"] == "queued"
    assert len(objects.list("checkpoints")) == 1


def assert_downloads(bench, path):
    """Check the sha256 of every downloaded artifact."""
    version = bench.client.get(path).json()
    names = [file["name"] for file in version["artifacts"]]
    assert {"model.keras", "model.onnx", "report.json", "baselines.json"} <= set(names)
    for file in version["artifacts"]:
        sent = bench.client.get(f"{path}/artifacts/{file['name']}").content
        assert hashlib.sha256(sent).hexdigest() == file["sha256"]
    sent = bench.client.get(f"{path}/artifacts/weights.npz").content
    assert np.load(io.BytesIO(sent)).files


def assert_predicts(bench):
    """Check that an instance and a file get the same prediction."""
    url = "/v1/models/m/predict"
    by_row = bench.client.post(url, json={"instances": [ROW]})
    file = f"{','.join(ROW)}\n{','.join(map(str, ROW.values()))}\n"
    by_file = bench.client.post(url, content=file, headers={"Content-Type": "text/csv"})
    assert by_row.status_code == by_file.status_code == 200, by_file.text
    assert by_row.json()["predictions"] == by_file.json()["predictions"]


@pytest.mark.usefixtures("rows_are")
def test_a_table_becomes_a_model_that_predicts(bench, objects):
    """The test includes a checkpoint, a report with baselines, a promotion and downloads."""
    for name in ("table", "held"):
        bench.upload(CSV, name=name)
    run_id = bench.post(SPEC)
    interrupt(bench, objects, run_id)
    run = bench.execute(run_id)
    assert (run["status"], run["attempt"]) == ("succeeded", 2), run["error"]
    assert not run["warnings"], run["warnings"]
    report = bench.client.get(f"/v1/runs/{run_id}/report").json()
    assert report["baselines"]["status"] == "ready"
    alias = {"version": 1, "require": {"rmse": "< 1000"}}
    promoted = bench.client.put("/v1/models/m/aliases/live", json=alias)
    assert promoted.status_code == 200, promoted.text
    assert_predicts(bench)
    assert_downloads(bench, "/v1/models/m/versions/1")
    assert bench.client.get("/v1/datasets/table/content").text == CSV
    assert bench.client.get("/v1/datasets/table/rows").json()["total"] == 120
    assert objects.list("checkpoints") == []


def test_a_large_upload_is_read_by_a_worker(bench, objects, monkeypatch):
    """The worker downloads the CSV and stores the table."""
    monkeypatch.setattr(upload_flow, "_MAX_ANSWER_WAIT", 0.0)
    bench.settings.limits.max_inline_bytes = 10
    dataset = bench.upload(CSV)
    assert dataset["status"] == "processing"
    reader = Reader(bench.storage, bench.settings.limits)
    Ingest(bench.database, reader, QUICK).attempt(dataset["id"])
    read = bench.client.get(f"/v1/datasets/{dataset['id']}").json()
    assert (read["status"], read["num_rows"]) == ("ready", 120)


def test_deleted_and_orphaned_files_leave_no_object(bench, objects):
    """The files are of a refused upload, a deleted dataset, and a process that died."""
    refused = bench.client.post("/v1/datasets", content="a,b\n1\n")
    assert_problem(refused, 422, "invalid-table")
    assert objects.list("datasets") == []
    dataset = bench.upload(CSV)
    lost = store(objects, f"datasets/{dataset['id']}/table-9.parquet")
    with bench.database.read() as session:
        assert remove_orphan_files(objects, session) == [lost]
    assert len(objects.list("datasets")) == 3  # upload, table, hashes
    assert bench.client.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    assert objects.list("datasets") == []


def test_a_lost_object_is_a_problem_not_a_crash(bench, objects):
    """The dataset exists, but its files do not."""
    bench.upload(CSV)
    for key in objects.list("datasets"):
        objects.delete(key)
    rows = bench.client.get("/v1/datasets/table/rows")
    assert_problem(rows, 409, "dataset-not-ready")
    content = bench.client.get("/v1/datasets/table/content")
    assert_problem(content, 503, "artifact-damaged")
