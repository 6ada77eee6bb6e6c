"""Files of dead processes are deleted; recorded files and files in use stay."""

import os
import time

import pytest

from core.database.base import utc_now
from core.datasets.tables import Dataset
from core.models.repository import ModelRepository
from core.orphan_files import remove_orphan_files
from core.settings import Settings
from core.storage import open_storage
from fitserve.enums import DatasetStatus, RunStatus
from tests.core.runs.rows import add_dataset, add_run, small_version
from tests.stored import store


@pytest.fixture
def storage(tmp_path):
    return open_storage(Settings(home=tmp_path))


def remove(storage, database, **given):
    with database.read() as session:
        return remove_orphan_files(storage, session, **given)


def test_an_ended_run_keeps_only_recorded_files(database, storage):
    """Files of a killed attempt are deleted after the run has ended."""
    ended, running = (
        add_run(database, status=s) for s in (RunStatus.SUCCEEDED, RunStatus.RUNNING)
    )
    kept = store(storage, f"runs/{ended}/2/model.onnx")
    lost = store(storage, f"runs/{ended}/1/model.onnx")
    young = store(storage, f"runs/{running}/1/model.onnx")
    with database.write() as session:
        version = small_version(ended, kept)
        ModelRepository(session, "default").add_version(version)
    assert remove(storage, database, older_than_seconds=0) == [lost]
    assert storage.list("runs") == sorted([kept, young])


def test_files_of_a_deleted_run_are_deleted(database, storage):
    """Its row is gone; the files are kept for a day, as those of every run."""
    key = store(storage, "runs/run_gone/1/model.onnx")
    assert remove(storage, database) == []
    assert remove(storage, database, older_than_seconds=0) == [key]


def test_a_dataset_keeps_its_files_until_it_is_deleted(database, storage):
    """Another attempt's table is deleted, and so is every file of a deleted dataset."""
    ids = [add_dataset(database).id for _ in range(3)]
    names = ("content.csv", "table-0.parquet", "table-1.parquet")
    keys = {i: [store(storage, f"datasets/{i}/{n}") for n in names] for i in ids}
    with database.write() as session:
        for dataset_id in ids:
            row = session.get_one(Dataset, dataset_id)
            row.content_key, _, row.table_key = keys[dataset_id]
        session.get_one(Dataset, ids[1]).deleted_at = utc_now()
        session.get_one(Dataset, ids[2]).status = DatasetStatus.PROCESSING
    gone = remove(storage, database)
    assert sorted(gone) == sorted([keys[ids[0]][1], *keys[ids[1]]])


def test_an_upload_without_a_row_stays_for_a_day(database, storage, tmp_path):
    """A request may still use such an upload, or a scratch folder of the last hour."""
    key = store(storage, "datasets/d/content.csv")
    scratch = tmp_path / "files" / "scratch" / "left"
    scratch.mkdir()
    assert remove(storage, database) == []
    assert scratch.exists()
    hour_ago, day_ago = (time.time() - seconds for seconds in (3_601, 86_401))
    for path in (tmp_path / "files" / key, scratch):
        os.utime(path, (hour_ago, hour_ago))
    assert remove(storage, database) == []
    assert not scratch.exists()
    os.utime(tmp_path / "files" / key, (day_ago, day_ago))
    assert remove(storage, database) == [key]
