"""Recording and counting live workers."""

from sqlalchemy import update

from core.database.clock import now_ms
from core.workers.presence import Presence
from core.workers.repository import BOTH, DATASETS, RUNS, WorkerRepository
from core.workers.tables import Worker
from tests.timing import until


def count(database, seconds=30.0):
    with database.read() as session:
        return WorkerRepository(session).count_alive(seconds)


def beat(database, worker_id, kind):
    with database.write() as session:
        WorkerRepository(session).beat(worker_id, kind)


def age(database, worker_id, seconds):
    with database.write() as session:
        session.execute(
            update(Worker)
            .where(Worker.id == worker_id)
            .values(seen_at=now_ms() - int(seconds * 1000))
        )


def test_a_process_counts_for_the_work_it_takes(database):
    """Repeated beats of one process count once; a process for both kinds counts for both."""
    assert count(database) == {RUNS: 0, DATASETS: 0}
    for _ in range(2):
        beat(database, "a:1", RUNS)
    beat(database, "a:2", BOTH)
    assert count(database) == {RUNS: 2, DATASETS: 1}


def test_a_silent_worker_is_not_counted_and_then_deleted(database):
    """The count falls after the lease, and the row is deleted after an hour."""
    beat(database, "a:1", RUNS)
    age(database, "a:1", 40)
    assert count(database)[RUNS] == 0
    age(database, "a:1", 4000)
    beat(database, "a:2", RUNS)
    with database.read() as session:
        assert [worker.id for worker in session.query(Worker)] == ["a:2"]


def test_a_thread_beats_until_it_is_stopped(database):
    presence = Presence(database, "a:1", RUNS, 0.01)
    presence.start()
    until(lambda: count(database)[RUNS] == 1)
    with database.write() as session:
        session.execute(update(Worker).values(seen_at=0))
    until(lambda: count(database)[RUNS] == 1)
    presence.stop()
    presence.join(5)
    assert not presence.is_alive()
