"""Test which rows the retention settings delete, and which they keep."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core.database.base import utc_now
from core.datasets.tables import Dataset
from core.errors import DatasetInUse, StorageUnavailable
from core.janitor import Janitor
from core.models.cause import Cause
from core.models.deletion import delete_version
from core.models.promotion import promote, undo
from core.models.repository import ModelRepository
from core.models.tables import Version
from core.queue import Queue, make_celery
from core.retention import passes, remove
from core.retention.expired import Kind
from core.retention.passes import Passes
from core.retention.remove import Retention
from core.runs.histories import compact
from core.runs.repository import RunRepository
from core.runs.tables import Epoch, History, Run
from core.settings import RetentionRules, RunTimes, Settings
from core.storage import open_storage
from core.storage.local import LocalStorage
from core.webhooks.repository import WebhookRepository
from fitserve.enums import DatasetStatus, RunStatus
from fitserve.specs.webhook import WebhookSpec
from tests.core.runs.rows import add_dataset, add_run, small_version
from tests.core.runs.test_histories import trained
from tests.stored import store

ALL = RetentionRules(versions_days=30, datasets_days=30, runs_days=30, histories_days=30)
CAUSE = Cause("a test", "to test")
OLD = utc_now() - timedelta(days=31)


@pytest.fixture
def storage(tmp_path):
    return open_storage(Settings(home=tmp_path))


@pytest.fixture
def retention(database, storage):
    return Retention(database, storage, ALL)


def change(database, table, key, **values):
    with database.write() as session:
        session.execute(update(table).where(table.id == key).values(**values))


def ids(database, table):
    with database.read() as session:
        return set(session.scalars(select(table.id)))


def compacted_ids(database):
    with database.read() as session:
        return set(session.scalars(select(History.run_id)))


def old_run(database, status=RunStatus.FAILED, **values):
    run_id = add_run(database)
    change(database, Run, run_id, status=status, ended_at=OLD, **values)
    return run_id


def old_version(database, storage):
    """Add an old run with a version of `m` and its file; return the version."""
    run_id = old_run(database, RunStatus.SUCCEEDED)
    key = store(storage, f"runs/{run_id}/model.onnx", "onnx")
    version = small_version(run_id, key, created_at=OLD)
    with database.write() as session:
        ModelRepository(session, "default").add_version(version)
        RunRepository(session, "default").get(run_id).model_version = version.number
    return version


def removed(retention, kind):
    return [one.name for one in retention.remove(kind).rows]


def test_versions_in_use_are_kept(database, storage, retention):
    """Only the first of six versions is unused; it is deleted with its file."""
    versions = [old_version(database, storage) for _ in range(6)]
    with database.write() as session:
        models = ModelRepository(session, "default")
        promote(models, "m", None, 2, CAUSE)  # served before: a rollback returns to it
        promote(models, "m", None, 3, CAUSE)  # serves
        promote(models, "m", "live", 4, CAUSE)  # has an alias
    change(database, Version, versions[4].id, created_at=utc_now())  # is young
    assert removed(retention, Kind.VERSIONS) == ["m version 1"]
    assert removed(retention, Kind.VERSIONS) == []
    with database.read() as session:
        left = ModelRepository(session, "default").versions("m")
        assert [one.number for one in left] == [6, 5, 4, 3, 2]
    assert len(storage.list("runs")) == 5


def test_the_version_to_which_the_next_rollback_returns_is_kept(
    database, storage, retention
):
    """A change that was undone, and the undo, are no longer to be rolled back."""
    for _ in range(4):
        old_version(database, storage)
    with database.write() as session:
        models = ModelRepository(session, "default")
        promote(models, "m", None, 2, CAUSE)
        promote(models, "m", None, 3, CAUSE)
        undo(models, "m", None, CAUSE)
    assert removed(retention, Kind.VERSIONS) == ["m version 3"]
    with database.write() as session:
        models = ModelRepository(session, "default")
        assert undo(models, "m", None, CAUSE).after == 1


def test_the_run_of_a_deleted_version_follows(database, storage, retention):
    """The run with the highest number of a model stays, so that no number is reused."""
    first, second, third, last = (old_version(database, storage) for _ in range(4))
    with database.write() as session:
        models = ModelRepository(session, "default")
        promote(models, "m", None, 2, CAUSE)
        promote(models, "m", None, 3, CAUSE)
        delete_version(session, storage, "default", "m", 4)
    assert removed(retention, Kind.RUNS) == []
    assert removed(retention, Kind.VERSIONS) == ["m version 1"]
    assert removed(retention, Kind.RUNS) == [first.run_id]
    assert ids(database, Run) == {second.run_id, third.run_id, last.run_id}


def test_ended_runs_without_a_version_are_deleted(database, retention):
    """Younger runs, runs in progress, and runs with an unsent webhook stay."""
    failed, sends = old_run(database), old_run(database)
    with database.write() as session:
        hook = WebhookSpec(url="https://example.com/hook")
        WebhookRepository(session).add(sends, hook)
    kept = {sends, old_run(database, RunStatus.RUNNING), add_run(database)}
    young = old_run(database)
    change(database, Run, young, ended_at=utc_now())
    assert removed(retention, Kind.RUNS) == [failed]
    assert ids(database, Run) == kept | {young}


def test_old_versions_of_a_dataset_are_deleted(database, retention):
    """The newest of a name stays, and one that a waiting run reads."""
    datasets = [add_dataset(database, "a") for _ in range(3)] + [add_dataset(database)]
    for one in datasets:
        change(database, Dataset, one.id, created_at=OLD)
    run_id = add_run(database)
    change(database, Run, run_id, dataset_id=datasets[1].id)
    assert removed(retention, Kind.DATASETS) == ["a@1", "table@1"]
    with database.read() as session:
        kept = session.scalars(select(Dataset.id).where(Dataset.deleted_at.is_(None)))
        assert {datasets[1].id, datasets[2].id} < set(kept)


def test_an_upload_that_failed_replaces_no_version(database, retention):
    """Neither does one that is not read yet, and itself it is not deleted meanwhile."""
    ready, failed, unread = (add_dataset(database, "a") for _ in range(3))
    for one in (ready, failed, unread):
        change(database, Dataset, one.id, created_at=OLD)
    change(database, Dataset, failed.id, status=DatasetStatus.FAILED)
    change(database, Dataset, unread.id, status=DatasetStatus.PROCESSING)
    assert removed(retention, Kind.DATASETS) == []
    newest = add_dataset(database, "a")
    assert removed(retention, Kind.DATASETS) == ["a@1", "a@2"]
    change(database, Dataset, unread.id, status=DatasetStatus.READY)
    assert removed(retention, Kind.DATASETS) == ["a@3"]
    assert newest.id in ids(database, Dataset)


def test_histories_are_deleted_and_their_runs_stay(database, retention):
    """Both forms of a history: epoch rows, and one row."""
    young = trained(database, days=2)
    compacted, plain = trained(database, days=31), trained(database, days=31)
    with database.write() as session:
        compact(session, compacted)
    assert removed(retention, Kind.HISTORIES) == [compacted, plain]
    assert {young, compacted, plain} <= ids(database, Run)
    with database.read() as session:
        runs = RunRepository(session, "default")
        assert [len(runs.epochs(one)) for one in (young, compacted, plain)] == [3, 0, 0]


def test_without_age_limits_everything_stays(database, storage):
    old_run(database)
    keeping = Retention(database, storage, RetentionRules())
    assert [removed(keeping, kind) for kind in Kind] == [[], [], [], []]


def test_the_janitor_deletes_and_compacts(database, storage, broker_url):
    failed, run_id = old_run(database), trained(database)
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    rules = RetentionRules(runs_days=30)
    Janitor(database, storage, queue, RunTimes(), rules).sweep_expired_and_files()
    assert ids(database, Run) == {run_id} - {failed}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Epoch)) == 0
        assert len(RunRepository(session, "default").epochs(run_id)) == 3


def test_the_janitor_continues_after_a_job_that_fails(
    database, storage, broker_url, monkeypatch
):
    """A failure of one kind leaves the others to their turn."""
    failed = old_run(database)
    monkeypatch.setattr(Retention, "compact_histories", lambda _: 1 / 0)
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    janitor = Janitor(database, storage, queue, RunTimes(), RetentionRules(runs_days=30))
    janitor.sweep_expired_and_files()
    assert failed not in ids(database, Run)


class AwayStorage(LocalStorage):
    """A storage that does not answer."""

    def check(self):
        raise StorageUnavailable("It does not answer.")


def test_rows_with_files_wait_for_the_storage(database, storage, broker_url, tmp_path):
    """Versions and datasets stay; runs, and the histories to compact, need no storage."""
    old_version(database, storage)
    for _ in range(2):
        old_version(database, storage)
    with database.write() as session:
        models = ModelRepository(session, "default")
        promote(models, "m", None, 2, CAUSE)
        promote(models, "m", None, 3, CAUSE)
    failed, run_id = old_run(database), trained(database)
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    away = AwayStorage(tmp_path / "files")
    Janitor(database, away, queue, RunTimes(), ALL).sweep_expired_and_files()
    assert len(ids(database, Version)) == 3
    assert failed not in ids(database, Run)
    assert compacted_ids(database) == {run_id}
    Janitor(database, storage, queue, RunTimes(), ALL).sweep_expired_and_files()
    assert len(ids(database, Version)) == 2


def in_use(*_):
    raise DatasetInUse("A run that has just begun reads it.")


def test_rows_in_use_do_not_block_those_behind_them(database, retention, monkeypatch):
    """The first two cannot be deleted by now; each call continues behind the last one."""
    datasets = [add_dataset(database, "a") for _ in range(6)]
    for one in datasets:
        change(database, Dataset, one.id, created_at=OLD)
    blocked = {one.id for one in datasets[:2]}
    real = remove.delete_dataset
    monkeypatch.setattr(remove, "AT_ONCE", 2)
    monkeypatch.setattr(
        remove,
        "delete_dataset",
        lambda *given: in_use() if given[-1] in blocked else real(*given),
    )
    found = Passes(retention)
    for _ in range(3):
        found.remove(Kind.DATASETS)
    assert left(database) == {*blocked, datasets[5].id}
    blocked.clear()
    found.remove(Kind.DATASETS)  # a pause after the pass
    assert len(left(database)) == 3
    monkeypatch.setattr(passes.time, "monotonic", lambda: 1e12)
    found.remove(Kind.DATASETS)
    assert left(database) == {datasets[5].id}


def left(database):
    with database.read() as session:
        kept = select(Dataset.id).where(Dataset.deleted_at.is_(None))
        return set(session.scalars(kept))
