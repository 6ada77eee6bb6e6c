"""A worker reads large uploads, and none is lost."""

import io

import polars as pl
import pytest

from core.columns.facts import Wanted
from core.datasets.deletion import delete_dataset
from core.datasets.ingest import Ingest, Reader
from core.datasets.maintenance import DatasetMaintenance
from core.datasets.repository import DatasetRepository
from core.datasets.service import DatasetService, Upload
from core.datasets.tables import Dataset
from core.datasets.typed_table import open_table
from core.errors import DatasetNotReady
from core.janitor import Janitor
from core.keys.caller import LOCAL
from core.queue import Queue, make_celery
from core.settings import Limits, RunTimes, Settings
from core.storage import open_storage
from fitserve.enums import ColumnType, DatasetStatus
from fitserve.specs.parsing import ParsingSpec
from tests.workbooks import xlsx

TIMES = RunTimes(requeue_after_seconds=0.0).model_copy(update={"lease_seconds": 0.0})


class Ingestion:
    """A service that leaves every upload to a worker, and that worker."""

    def __init__(self, database, broker_url, folder):
        storage = open_storage(Settings(home=folder))
        queue = Queue(make_celery(Settings(broker_url=broker_url)))
        self.database, self.folder = database, folder
        self.reader = Reader(storage, Limits(max_inline_bytes=0))
        self.service = DatasetService(database, self.reader, queue)
        self.ingest = Ingest(database, self.reader, TIMES)
        self.janitor = Janitor(database, storage, queue, TIMES)

    def upload(self, content="a,b\n1,x\n2,y\n"):
        source = self.folder / "source.csv"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        options = ParsingSpec(types={"a": "categorical"})
        upload = Upload(source, "sha256:0", "t", None, options)
        return self.service.create(LOCAL, upload)

    def get(self, ref):
        with self.database.read() as session:
            return DatasetRepository(session, "default").get(ref)


@pytest.fixture
def ingestion(database, broker_url, tmp_path):
    return Ingestion(database, broker_url, tmp_path)


def test_a_worker_reads_a_large_upload(ingestion):
    """The dataset is processing, then ready with the types that the upload gave."""
    dataset = ingestion.upload()
    assert dataset.status == DatasetStatus.PROCESSING
    with pytest.raises(DatasetNotReady, match="still being read"):
        ingestion.service.rows(dataset, 0, 10)
    ingestion.ingest.attempt(dataset.id)
    read = ingestion.get(dataset.id)
    assert (read.status, read.num_rows, read.progress) == ("ready", 2, 1.0)
    assert [column.type for column in read.columns] == ["categorical", "categorical"]
    assert ingestion.service.rows(read, 0, 10).data == [["1", "x"], ["2", "y"]]


def test_a_worker_reads_files_with_types(ingestion):
    """A type in a spec reads the column again; the stored words are those of the file."""
    rows = [["a", "b"], *([i % 3, ("x", "NA")[i % 2]] for i in range(30))]
    file = io.BytesIO()
    pl.DataFrame(rows[1:], rows[0], orient="row").write_parquet(file)
    for content, words in [(xlsx({"s": rows}), None), (file.getvalue(), [""])]:
        dataset = ingestion.upload(content)
        ingestion.ingest.attempt(dataset.id)
        read = ingestion.get(dataset.id)
        assert read.status == "ready", read.error
        assert read.options.null_values == words
        wanted = {"a": Wanted(ColumnType.TEXT)}
        with open_table(read, ingestion.reader.storage, wanted) as table:
            assert table.read(["a"])["a"].to_list() == ["0", "1", "2"] * 10


def test_a_dataset_that_cannot_be_read_says_why(ingestion):
    """The dataset has failed, with the problem that a small upload would return."""
    dataset = ingestion.upload("a,b\n1\n")
    ingestion.ingest.attempt(dataset.id)
    read = ingestion.get(dataset.id)
    assert read.status == DatasetStatus.FAILED
    assert "Line 2 has 1 cells" in read.error.detail
    with pytest.raises(DatasetNotReady, match="Line 2"):
        ingestion.service.rows(read, 0, 10)


def test_a_dataset_that_is_read_is_not_read_again(ingestion):
    """A second message for the same dataset does nothing."""
    dataset = ingestion.upload()
    ingestion.ingest.attempt(dataset.id)
    key = ingestion.get(dataset.id).table_key
    ingestion.ingest.attempt(dataset.id)
    assert (ingestion.get(dataset.id).table_key, ingestion.get(dataset.id).attempt) == (
        key,
        1,
    )


def test_a_reader_that_was_replaced_changes_nothing(ingestion):
    """An update of an earlier attempt is refused."""
    dataset = ingestion.upload()
    with ingestion.database.write() as session:
        repository = DatasetMaintenance(session)
        first = repository.claim(dataset.id, -1.0)
        second = repository.claim(dataset.id, 30.0)  # the first lease has expired
        assert (first, second) == (1, 2)
        assert not repository.update(dataset.id, first, num_rows=99)
        assert repository.claim(dataset.id, 30.0) is None
    assert ingestion.get(dataset.id).num_rows == 0


def test_a_lost_reader_is_replaced_up_to_three_times(ingestion):
    """The janitor sends the message three times, then the dataset fails."""
    dataset = ingestion.upload()
    for attempt in range(1, 4):
        ingestion.janitor.sweep()
        with ingestion.database.write() as session:
            assert DatasetMaintenance(session).claim(dataset.id, -1.0) == attempt
    ingestion.janitor.sweep()
    read = ingestion.get(dataset.id)
    assert (read.status, read.error.type) == ("failed", "/problems/worker-lost")


def test_a_dataset_deleted_while_it_is_read_leaves_no_file(ingestion):
    dataset = ingestion.upload()
    with ingestion.database.write() as session:
        attempt = DatasetMaintenance(session).claim(dataset.id, 30.0)
        assert attempt == 1
    with ingestion.database.write() as session:
        delete_dataset(session, ingestion.reader.storage, "default", dataset.id)
    with ingestion.database.write() as session:
        assert not DatasetMaintenance(session).update(dataset.id, 1, num_rows=2)
        assert session.get_one(Dataset, dataset.id).num_rows == 0
    assert not [
        p for p in (ingestion.folder / "files" / "datasets").rglob("*") if p.is_file()
    ]


def test_a_request_can_wait_for_the_reader(bench, monkeypatch):
    """A GET with `wait` returns when the worker has read the upload."""
    import threading

    from service import upload_flow

    bench.settings.limits.max_inline_bytes = 10
    monkeypatch.setattr(upload_flow, "_MAX_ANSWER_WAIT", 0.0)
    answer = bench.client.post(
        "/v1/datasets",
        params={"name": "t"},
        content=io.BytesIO(b"a,b\n1,x\n2,y\n").read(),
    )
    body = answer.json()
    assert (answer.status_code, body["status"], body["columns"]) == (
        201,
        "processing",
        [],
    )
    spec = {"dataset": "t", "target": "b"}
    refused = bench.client.post("/v1/runs", json=spec)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "/problems/dataset-not-ready",
    )
    reader = Reader(bench.storage, bench.settings.limits)
    worker = Ingest(bench.database, reader, TIMES)
    reading = threading.Thread(target=worker.attempt, args=[body["id"]])
    look = upload_flow._read

    def look_then_start(*asked):
        found = look(*asked)
        if reading.ident is None:
            reading.start()
        return found

    monkeypatch.setattr(upload_flow, "_read", look_then_start)
    monkeypatch.setattr("service.polling._SECONDS", 0.01)
    read = bench.client.get(f"/v1/datasets/{body['id']}", params={"wait": 20}).json()
    assert (read["status"], read["num_rows"]) == ("ready", 2)
    reading.join(60)
