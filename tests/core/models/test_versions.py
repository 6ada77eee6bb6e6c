"""Point aliases at versions, undo that, and delete versions, on either engine."""

import threading
import time

import pytest
from sqlalchemy.orm.exc import StaleDataError

from core.errors import (
    AliasMoved,
    AliasNotFound,
    ModelNotFound,
    NothingToUndo,
    VersionInUse,
    VersionNotFound,
)
from core.models.cause import Cause
from core.models.deletion import delete_model, delete_version
from core.models.promotion import promote, undo
from core.models.repository import ModelRepository
from core.models.version_changes import describe_versions
from core.runs.repository import RunRepository
from core.settings import Settings
from core.storage import open_storage
from tests.core.runs.rows import add_run, small_version
from tests.servers import until_locked
from tests.stored import store

CAUSE = Cause("a test", "to test")


def train(database, storage):
    """Store a run, its version, and a file of the version."""
    run_id = add_run(database)
    key = store(storage, f"runs/{run_id}/model.onnx", "onnx")
    version = small_version(run_id, key)
    with database.write() as session:
        ModelRepository(session, "default").add_version(version)
        RunRepository(session, "default").get(run_id).model_version = version.number
    return version.number


@pytest.fixture
def storage(tmp_path):
    return open_storage(Settings(home=tmp_path))


def numbers(database):
    with database.read() as session:
        return [
            version.number
            for version in ModelRepository(session, "default").versions("m")
        ]


def test_rows_and_files_are_deleted_and_no_number_is_reused(database, storage):
    """Numbers go on after the newest version, or the whole model, was deleted."""
    assert [train(database, storage) for _ in range(3)] == [1, 2, 3]
    with database.write() as session:
        delete_version(session, storage, "default", "m", 3)
        assert len(storage.list("runs")) == 3  # the files stay until the commit
    assert (numbers(database), len(storage.list("runs"))) == ([2, 1], 2)
    assert train(database, storage) == 4
    with database.write() as session:  # the serving version is not the last one deleted
        ModelRepository(session, "default").point("m", None, 4, CAUSE)
        delete_model(session, storage, "default", "m")
    assert (numbers(database), storage.list("runs")) == ([], [])
    with database.read() as session, pytest.raises(ModelNotFound):
        ModelRepository(session, "default").get("m")
    assert train(database, storage) == 5


def test_a_version_with_an_alias_stays(database, storage):
    """Neither it nor its model is deleted; an unknown version or model is not found."""
    train(database, storage)
    with database.write() as session:
        ModelRepository(session, "default").point("m", "live", 1, CAUSE)
    for refused, kind in (
        (lambda s: delete_version(s, storage, "default", "m", 1), VersionInUse),
        (lambda s: delete_model(s, storage, "default", "m"), VersionInUse),
        (lambda s: delete_version(s, storage, "default", "m", 2), VersionNotFound),
        (lambda s: delete_model(s, storage, "default", "n"), ModelNotFound),
    ):
        with pytest.raises(kind), database.write() as session:
            refused(session)
    assert (numbers(database), len(storage.list("runs"))) == ([1], 1)


def test_a_moved_alias_is_refused(database, storage):
    """A promotion fails if the alias changed after it was read."""
    train(database, storage)
    with database.write() as session:
        models = ModelRepository(session, "default")
        models.refuse_moved("m", "live", None)
        moved = models.point("m", "live", 1, CAUSE)
    with database.write() as session:
        models = ModelRepository(session, "default")
        models.refuse_moved("m", "live", moved.id)
        with pytest.raises(AliasMoved):
            models.refuse_moved("m", "live", None)


def test_the_second_of_two_removals_of_an_alias_is_not_found(database, storage):
    """The second deletion waits until the first one is committed."""
    train(database, storage)
    with database.write() as session:
        ModelRepository(session, "default").point("m", "live", 1, CAUSE)
    errors, begins = [], threading.Event()

    def second():
        begins.set()
        try:
            with database.write() as session:
                ModelRepository(session, "default").delete_alias("m", "live", CAUSE)
        except (AliasNotFound, StaleDataError) as error:
            errors.append(type(error))

    thread = threading.Thread(target=second)
    with database.write() as session:
        ModelRepository(session, "default").delete_alias("m", "live", CAUSE)
        session.flush()
        thread.start()
        assert begins.wait(60)
        if database.engine.dialect.name == "postgresql":
            until_locked(database)
        else:
            time.sleep(0.02)  # SQLite does not show who waits for its lock
    thread.join()
    assert errors == [AliasNotFound]


def test_a_version_is_stored_if_its_model_is_deleted_meanwhile(
    database, storage, monkeypatch
):
    """The model is created again for the version of the run."""
    if database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    train(database, storage)
    lock, others = ModelRepository.lock, []

    def lock_after_a_deletion(self, name):
        if not others:
            others.append(name)
            with database.write() as session:
                delete_model(session, storage, "default", name)
        return lock(self, name)

    monkeypatch.setattr(ModelRepository, "lock", lock_after_a_deletion)
    assert train(database, storage) == 2
    assert numbers(database) == [2]


def test_a_model_of_an_earlier_release_follows_its_newest_version(database, storage):
    """If its serving version is deleted, the newest version left serves."""
    assert [train(database, storage) for _ in range(3)] == [1, 2, 3]
    with database.write() as session:
        models = ModelRepository(session, "default")
        models.get("m").follows_newest = True
        models.point("m", None, 3, CAUSE)
    with database.write() as session:
        delete_version(session, storage, "default", "m", 3)
    with database.read() as session:
        models = ModelRepository(session, "default")
        assert models.serving("m").number == 2
        why = [change.why for change in models.changes("m")]
        assert why == ["version 3 was deleted", "to test", "first version"]


def test_changes_are_undone_one_after_the_other(database, storage):
    """Repeated undos go further back; they undo neither an undo nor a change twice."""
    assert [train(database, storage) for _ in range(3)] == [1, 2, 3]
    for number in (2, 3, 3):
        with database.write() as session:
            models = ModelRepository(session, "default")
            promote(models, "m", "live", number, CAUSE)
            promote(models, "m", None, number, CAUSE)
    for after in (2, 1):
        with database.write() as session:
            models = ModelRepository(session, "default")
            change = undo(models, "m", None, CAUSE)
            assert (change.after, models.aliased("m", "live").number) == (after, 3)
    with database.write() as session, pytest.raises(NothingToUndo):
        undo(ModelRepository(session, "default"), "m", None, CAUSE)
    with database.write() as session:
        ModelRepository(session, "default").delete_alias("m", "live", CAUSE)
    with database.write() as session:
        models = ModelRepository(session, "default")
        assert undo(models, "m", "live", CAUSE).before is None
        assert models.aliased("m", "live").number == 3


def references(database, number=None):
    """Return with which version each one is compared, and whether that one served."""
    with database.read() as session:
        models = ModelRepository(session, "default")
        wanted = [models.version("m", number)] if number else models.versions("m")
        read = {v.version: v.changes for v in describe_versions(models, "m", wanted)}
    return {n: c and (c.against, c.served) for n, c in read.items()}


def test_a_version_is_compared_with_the_one_that_served_when_it_was_stored(
    database, storage
):
    """If that one is deleted, with the version before."""
    assert [train(database, storage) for _ in range(3)] == [1, 2, 3]
    with database.write() as session:
        promote(ModelRepository(session, "default"), "m", None, 2, CAUSE)
    assert train(database, storage) == 4
    with database.write() as session:
        promote(ModelRepository(session, "default"), "m", None, 4, CAUSE)
    expected = {4: (2, True), 3: (1, True), 2: (1, True), 1: None}
    assert references(database) == expected
    assert references(database, 4) == {4: (2, True)}
    with database.write() as session:
        delete_version(session, storage, "default", "m", 2)
    assert references(database) == {4: (3, False), 3: (1, True), 1: None}


def test_two_changes_at_once_follow_each_other(database, storage):
    """The second change waits for the first, and records it as the state before."""
    assert [train(database, storage) for _ in range(2)] == [1, 2]
    begins = threading.Event()

    def second():
        begins.set()
        with database.write() as session:
            promote(ModelRepository(session, "default"), "m", "live", 1, CAUSE)

    thread = threading.Thread(target=second)
    with database.write() as session:
        promote(ModelRepository(session, "default"), "m", "live", 2, CAUSE)
        thread.start()
        assert begins.wait(60)
        if database.engine.dialect.name == "postgresql":
            until_locked(database)
    thread.join()
    with database.read() as session:
        changes = ModelRepository(session, "default").changes("m", alias="live")
        assert [(c.before, c.after) for c in changes] == [(2, 1), (None, 2)]
