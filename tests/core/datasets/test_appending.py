"""A worker reads large appends, and no append is lost or stored twice."""

import threading

import pytest

from core.datasets.deletion import delete_dataset
from core.datasets.ingest import Ingest
from core.datasets.maintenance import DatasetMaintenance
from core.datasets.repository import DatasetRepository
from core.datasets.service import Upload
from core.datasets.tables import Dataset
from core.errors import DatasetNotFound, DatasetNotReady, InvalidTable
from core.keys.caller import LOCAL
from core.orphan_files import remove_orphan_files
from core.settings import Limits
from fitserve.specs.parsing import ParsingSpec
from tests.core.datasets.test_ingest import Ingestion
from tests.workbooks import xlsx


class Appending(Ingestion):
    """A service that leaves uploads and appends to a worker, and that worker."""

    def append(self, content, **options):
        source = self.folder / f"more-{threading.get_ident()}.csv"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        upload = Upload(source, "sha256:1", "t", None, ParsingSpec(**options))
        return self.service.append(LOCAL, upload)

    def first(self):
        dataset = self.upload()
        self.ingest.attempt(dataset.id)
        return dataset

    def data(self, ref):
        return self.service.rows(self.get(ref), 0, 100).data

    def delete(self, ref):
        with self.database.write() as session:
            delete_dataset(session, self.reader.storage, "default", ref)

    def files(self):
        return self.reader.storage.list("datasets")


@pytest.fixture
def appending(database, broker_url, tmp_path):
    return Appending(database, broker_url, tmp_path)


def test_a_worker_reads_a_large_append(appending):
    """The version is processing, then ready, and has the types of the version before it."""
    first = appending.first()
    second = appending.append("b,a\nz,03\n")
    assert (second.status, second.version, second.parent_id) == (
        "processing",
        2,
        first.id,
    )
    with pytest.raises(
        DatasetNotReady, match=r"or name an earlier version of GET /v1/datasets\?name=t"
    ):
        appending.data("t")
    assert appending.data("t@1") == [["1", "x"], ["2", "y"]]
    appending.ingest.attempt(second.id)
    read = appending.get("t")
    assert (read.status, read.num_rows, read.num_added) == ("ready", 3, 1)
    assert appending.data("t") == [["1", "x"], ["2", "y"], ["03", "z"]]


def test_a_workbook_is_appended(appending):
    appending.first()
    second = appending.append(xlsx({"s": [["a", "b"], ["3", "z"], ["4", "x"]]}))
    appending.ingest.attempt(second.id)
    assert appending.data("t")[2:] == [["3", "z"], ["4", "x"]]


def test_an_append_waits_for_the_version_that_is_read(appending):
    """Rows for a version that is being read are refused, and nothing is stored."""
    appending.first()
    appending.append("a,b\n3,z\n")
    files = appending.files()
    with pytest.raises(DatasetNotReady, match="still being read"):
        appending.append("a,b\n4,z\n")
    assert appending.files() == files


def test_a_failed_append_blocks_no_other(appending):
    """The failed version says why; the next append extends the version before it."""
    first = appending.first()
    second = appending.append("c\n1\n")
    appending.ingest.attempt(second.id)
    read = appending.get("t@2")
    assert read.status == "failed"
    assert "no column of 't@1'" in read.error.detail
    with pytest.raises(DatasetNotReady, match="Delete t@2"):
        appending.data("t")
    third = appending.append("a,b\n3,z\n")
    assert (third.version, third.parent_id) == (3, first.id)
    appending.ingest.attempt(third.id)
    assert len(appending.data("t")) == 3


def test_a_killed_reader_is_replaced(appending):
    """The second attempt reads the append; after that, the first one can change nothing."""
    appending.first()
    second = appending.append("a,b\n3,z\n")
    with appending.database.write() as session:
        assert DatasetMaintenance(session).claim(second.id, -1.0) == 1
    appending.janitor.sweep()
    appending.ingest.attempt(second.id)
    with appending.database.write() as session:
        assert not DatasetMaintenance(session).update(second.id, 1, num_rows=9)
    assert (appending.get("t").attempt, appending.get("t").num_rows) == (2, 3)


def test_a_parent_deleted_while_its_append_is_read_keeps_its_rows(appending):
    """The append has the rows of the deleted version, and the janitor leaves them."""
    first = appending.first()
    second = appending.append("a,b\n3,z\n")
    appending.delete(first.id)
    with appending.database.read() as session:
        remove_orphan_files(appending.reader.storage, session, 0.0)
    appending.ingest.attempt(second.id)
    assert len(appending.data("t")) == 3
    appending.delete("t")
    assert appending.files() == []


def test_an_append_deleted_while_it_is_read_leaves_the_earlier_rows(appending):
    first = appending.first()
    files = appending.files()
    second = appending.append("a,b\n3,z\n")
    with appending.database.write() as session:
        assert DatasetMaintenance(session).claim(second.id, 30.0) == 1
    appending.delete(second.id)
    assert appending.files() == files
    assert appending.get("t").id == first.id


def test_a_version_added_meanwhile_is_extended(appending, monkeypatch):
    """The rows are read again, as an append to the version that was added meanwhile."""
    appending.first()
    appending.reader = appending.service._reader = type(appending.reader)(
        appending.reader.storage, Limits()
    )
    read, between = appending.service._read_append, []

    def read_slowly(caller, dataset, parent):
        found = read(caller, dataset, parent)
        if not between:
            between.append(None)
            appending.append("a,b,c\n3,z,0\n")
        return found

    monkeypatch.setattr(appending.service, "_read_append", read_slowly)
    last = appending.append("a,b\n4,q\n")
    assert last.version == 3
    data = [["1", "x", None], ["2", "y", None], ["3", "z", 0.0], ["4", "q", None]]
    assert appending.data("t") == data
    assert len(appending.files()) == 9


def test_a_parent_deleted_while_its_append_is_read_at_once(appending, monkeypatch):
    """The request is refused like one for an unknown dataset, and stores nothing."""
    first = appending.first()
    appending.service._reader = type(appending.reader)(appending.reader.storage, Limits())
    find = appending.service._to_extend
    calls = []

    def find_then_delete(caller, name):
        found = find(caller, name)
        calls.append(None)
        if len(calls) == 2:
            appending.delete(first.id)
        return found

    monkeypatch.setattr(appending.service, "_to_extend", find_then_delete)
    with pytest.raises(DatasetNotFound):
        appending.append("a,b\n3,z\n")
    assert appending.files() == []


def test_a_name_belongs_to_one_workspace(appending):
    """Versions are numbered by workspace and name."""
    first = appending.first()
    with appending.database.write() as session:
        other = Dataset(
            id="dataset_other",
            name="t",
            digest="sha256:0",
            num_bytes=1,
            num_rows=1,
            columns=[],
            parsing={},
            warnings=[],
            content_key="",
            table_key="",
        )
        DatasetRepository(session, "team").add(other)
        assert other.version == 1
    assert first.version == 1
    assert appending.append("a,b\n3,z\n").parent_id == first.id


def test_a_refused_append_stores_nothing(appending):
    """A small append with a cell of another type leaves no file."""
    dataset = appending.upload("a,n\n1,1\n2,2\n")
    appending.ingest.attempt(dataset.id)
    appending.service._reader = type(appending.reader)(appending.reader.storage, Limits())
    files = appending.files()
    with pytest.raises(InvalidTable, match="'x' is not a number"):
        appending.append("n\nx\n")
    assert appending.files() == files
    assert appending.get("t").version == 1


def test_ingest_reads_with_its_own_limits(appending):
    """The limit counts the columns of both files together."""
    appending.first()
    second = appending.append("a,b,c\n1,2,3\n")
    reader = type(appending.reader)(appending.reader.storage, Limits(max_columns=2))
    Ingest(appending.database, reader, appending.ingest.times).attempt(second.id)
    assert "would have 3 columns" in appending.get(second.id).error.detail
