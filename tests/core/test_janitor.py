"""The janitor requeues or fails lost runs and deletes leftover files."""

import threading
import time

import pytest
from sqlalchemy import select, update

from core.datasets.tables import Dataset
from core.errors import StorageUnavailable
from core.janitor import Janitor
from core.queue import READ, TRAIN, Queue, make_celery
from core.runs.checkpoint_files import checkpoint_key, remove_older_checkpoints
from core.runs.leases import Lease, SavedCheckpoint
from core.runs.repository import RunRepository
from core.runs.tables import Checkpoint, Run
from core.settings import RunTimes, Settings
from core.storage import open_storage
from core.storage.local import LocalStorage
from fitserve.enums import DatasetStatus, RunStatus
from tests.core.runs.rows import add_dataset, add_run, read_run
from tests.stored import store
from tests.timing import until

TIMES = RunTimes(requeue_after_seconds=0.0, max_attempts=2)


@pytest.fixture
def storage(tmp_path):
    return open_storage(Settings(home=tmp_path))


def janitor(database, storage, broker_url):
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    return Janitor(database, storage, queue, TIMES)


def test_a_run_whose_worker_died_is_sent_again_up_to_the_limit(
    database, storage, broker_url
):
    """With two attempts there is one requeue, then the run fails with the reason."""
    run_id = add_run(database)
    sweep = janitor(database, storage, broker_url).sweep
    for attempt in (1, 2):
        assert Lease.claim(database, run_id, "w", 0.0).attempt == attempt
        time.sleep(0.01)
        assert sweep() == ([run_id] if attempt == 1 else [])
    run = read_run(database, run_id)
    assert run.status == RunStatus.FAILED
    assert run.error.type == "/problems/worker-lost"
    assert "2 times" in run.error.detail


def test_a_run_whose_message_was_lost_is_sent_again(database, storage, broker_url):
    """A queued run that no worker claimed gets another message."""
    run_id = add_run(database)
    time.sleep(0.01)
    assert janitor(database, storage, broker_url).sweep() == [run_id]


def test_a_worker_that_hangs_in_a_write_does_not_block_a_sweep(
    database, storage, broker_url
):
    """On PostgreSQL the sweep skips the locked rows and requeues the others."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one lock for all")
    frozen, lost = add_run(database), add_run(database)
    for run_id in (frozen, lost):
        Lease.claim(database, run_id, "w", 0.0)
    time.sleep(0.01)
    with database.write() as session:
        RunRepository(session, "default").request_cancel(frozen)
        assert janitor(database, storage, broker_url).sweep() == [lost]
    assert read_run(database, frozen).status == RunStatus.RUNNING


def test_a_held_run_is_not_requeued(database, storage, broker_url):
    run_id = add_run(database)
    Lease.claim(database, run_id, "w", 30.0)
    assert janitor(database, storage, broker_url).sweep() == []
    assert read_run(database, run_id).status == RunStatus.RUNNING


def test_a_sweep_survives_a_missing_broker(database, storage, tmp_path, broker_clock):
    run_id = add_run(database)
    time.sleep(0.01)
    missing = f"redis+socket://{tmp_path / 'none.sock'}"
    assert janitor(database, storage, missing).sweep() == []
    assert broker_clock.now < 10
    assert read_run(database, run_id).status == RunStatus.QUEUED


class HangingQueue(Queue):
    """A queue whose broker confirms the first `num_confirmed` messages only."""

    def __init__(self, num_confirmed):
        self.num_confirmed = num_confirmed
        self.sent = []

    def send(self, task, subject_id, _worker_tags=""):
        self.sent.append((task, subject_id))
        return len(self.sent) <= self.num_confirmed


@pytest.mark.parametrize("num_confirmed", [1, 4])
def test_a_sweep_stops_sending_when_the_broker_fails(database, storage, num_confirmed):
    """The next sweep sends the rest at once, even if messages are resent rarely."""
    rare = RunTimes(requeue_after_seconds=3_600.0)
    runs = {add_run(database) for _ in range(3)}
    datasets = {add_dataset(database).id for _ in range(3)}
    with database.write() as session:
        session.execute(update(Run).values(sent_at=0))
        waiting = {"status": DatasetStatus.PROCESSING, "lease_until": None}
        session.execute(update(Dataset).where(Dataset.id.in_(datasets)).values(**waiting))
    hanging, well = HangingQueue(num_confirmed), HangingQueue(10)
    first = Janitor(database, storage, hanging, rare).sweep()
    assert len(hanging.sent) == num_confirmed + 1
    assert len(first) == min(num_confirmed, 3)
    second = Janitor(database, storage, well, rare).sweep()
    assert {*first, *second} == runs
    expected = [(TRAIN, one) for one in runs] + [(READ, one) for one in datasets]
    assert sorted([*hanging.sent[:-1], *well.sent]) == sorted(expected)
    assert Janitor(database, storage, well, rare).sweep() == []


def test_checkpoints_of_ended_runs_are_removed(database, storage, broker_url):
    """Checkpoints of a run that may continue stay."""
    ids = [add_run(database) for _ in range(2)]
    for run_id in ids:
        lease = Lease.claim(database, run_id, "w", 30.0)
        lease.record([], SavedCheckpoint(1, 0.1, "k", "0", 1))
        lease.release()
        store(storage, checkpoint_key(run_id, 1, 1))
    with database.write() as session:
        RunRepository(session, "default").request_cancel(ids[0])
    sweep = janitor(database, storage, broker_url)
    sweep.sweep()
    sweep.sweep_expired_and_files()
    assert storage.list("checkpoints") == [checkpoint_key(ids[1], 1, 1)]
    with database.read() as session:
        rows = session.scalars(select(Checkpoint.run_id)).all()
    assert rows == [ids[1]]


FREQUENT = TIMES.model_copy(update={"janitor_seconds": 0.01})


class HangingStorage(LocalStorage):
    """A storage that does not answer until a test is over."""

    def __init__(self, root):
        super().__init__(root)
        self.is_listing, self.is_over = threading.Event(), threading.Event()

    def list(self, prefix, older_than_seconds=0.0):
        self.is_listing.set()
        self.is_over.wait(60)
        return super().list(prefix, older_than_seconds)


class BrokenStorage(LocalStorage):
    """A storage in which listing files raises an unexpected error."""

    error = RuntimeError

    def __init__(self, root):
        super().__init__(root)
        self.prefixes = []
        self.is_listed_twice = threading.Event()

    def list(self, prefix, older_than_seconds=0.0):  # noqa: ARG002  as the port has it
        self.prefixes.append(prefix)
        if self.prefixes.count("checkpoints") > 1:
            self.is_listed_twice.set()
        raise self.error(prefix)


class AwayStorage(BrokenStorage):
    """A storage that cannot be reached."""

    error = StorageUnavailable


def test_stray_files_do_not_stop_a_sweep(database, storage, broker_url, tmp_path):
    """Lost runs are requeued, orphans are deleted, and files of other programs stay."""
    ended, waiting = add_run(database), add_run(database)
    with database.write() as session:
        RunRepository(session, "default").request_cancel(ended)
    store(storage, checkpoint_key(ended, 1, 1))
    root = tmp_path / "files" / "checkpoints"
    strays = [root / ".DS_Store", root / ended / ".nfs0001", root / "gone" / "a b"]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.write_text("x")
    time.sleep(0.01)
    sweep = janitor(database, storage, broker_url)
    sweep.sweep_expired_and_files()
    assert storage.list("checkpoints") == []
    assert all(stray.exists() for stray in strays)
    assert sweep.sweep() == [waiting]


def test_a_stray_file_among_checkpoints_is_ignored(storage, tmp_path):
    """Older checkpoints are deleted."""
    for epoch in (1, 2):
        store(storage, checkpoint_key("run_a", 1, epoch))
    (tmp_path / "files" / "checkpoints" / "run_a" / "notes.txt").write_text("x")
    remove_older_checkpoints(storage, "run_a", 1, {checkpoint_key("run_a", 1, 2)})
    assert storage.list("checkpoints") == [
        checkpoint_key("run_a", 1, 2),
        "checkpoints/run_a/notes.txt",
    ]


def test_files_that_cannot_be_swept_delay_no_run(database, storage, broker_url, tmp_path):
    """Runs are swept while a storage hangs; one failed job of files stops no other job."""
    broken = BrokenStorage(tmp_path / "files")
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    hanging = HangingStorage(tmp_path / "files")
    sweep = Janitor(database, hanging, queue, FREQUENT)
    sweep.start()
    try:
        assert hanging.is_listing.wait(20)
        run_id = add_run(database)
        Lease.claim(database, run_id, "w", 0.0)
        until(lambda: read_run(database, run_id).status == RunStatus.QUEUED)
    finally:
        hanging.is_over.set()
        sweep.stop()
    janitor(database, broken, broker_url).sweep_expired_and_files()
    assert broken.prefixes == ["checkpoints", "runs"]


def test_a_storage_without_an_answer_is_asked_once(database, tmp_path, broker_url):
    """The next sweep of files tries again."""
    away = AwayStorage(tmp_path / "files")
    janitor(database, away, broker_url).sweep_expired_and_files()
    assert away.prefixes == ["checkpoints"]


def test_the_thread_survives_unexpected_errors(database, storage, broker_url, tmp_path):
    broken = BrokenStorage(tmp_path / "files")
    queue = Queue(make_celery(Settings(broker_url=broker_url)))
    thread = Janitor(database, broken, queue, FREQUENT)
    thread.start()
    try:
        assert broken.is_listed_twice.wait(20)
    finally:
        thread.stop()
