"""Health checks of parts that are unavailable, hang, or are not migrated."""

import asyncio
import threading
import time

from sqlalchemy import text

from core.database.sessions import Database
from core.health import checks
from core.health.health import Health
from core.health.parts import State, ok
from core.queue import Queue, make_celery
from core.settings import Settings
from core.storage import open_storage
from tests import s3
from tests.core.storage import faulty_proxy as proxies


def test_a_part_that_hangs_fails_in_time_and_is_checked_once():
    """Several looks start one thread for the hanging part, and the other parts answer."""
    release, calls = threading.Event(), []

    def hang():
        calls.append(1)
        release.wait(20)
        return ok("at last")

    health = Health({"slow": hang, "quick": lambda: ok("yes")}, 0.1, 0.0)
    began = time.monotonic()
    for _ in range(3):
        parts = asyncio.run(health.look())
        assert parts["slow"].state == State.FAILED
        assert "0.1 s" in parts["slow"].detail
        assert parts["quick"] == ok("yes")
    assert time.monotonic() - began < 2
    assert calls == [1]
    release.set()


def test_an_answer_holds_for_a_second():
    """A hundred probes at the same time run one check."""
    calls = []

    def check():
        calls.append(1)
        return ok("yes")

    health = Health({"part": check}, 1.0, 1.0)

    async def look_often():
        await asyncio.gather(*(health.look() for _ in range(100)))
        await health.look()

    asyncio.run(look_often())
    assert calls == [1]


def test_a_check_that_raises_has_failed_and_names_only_the_kind():
    """The message of an exception may contain a host or a password."""
    secret = "postgresql://me:secret@db"

    def check():
        raise ConnectionError(secret)

    part = Health({"part": check}).look_now(1.0)["part"]
    assert part.state == State.FAILED
    assert "ConnectionError" in part.detail
    assert "secret" not in part.detail


def test_migrations_are_known_by_their_revision(database):
    """The part is ok at head, failed before it, and degraded after it."""
    assert checks.check_migrations(database).state == State.OK
    for revision, state in (("0001", State.FAILED), ("9999", State.DEGRADED)):
        with database.engine.begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :new"), {"new": revision}
            )
        part = checks.check_migrations(database)
        assert part.state == state
        assert revision in part.detail


def test_a_database_without_tables_is_not_migrated(tmp_path):
    """The detail names the command that migrates it."""
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    part = checks.check_migrations(database)
    assert part.state == State.FAILED
    assert "core.database.migrate" in part.detail
    database.close()


def test_an_unreachable_database_fails(tmp_path):
    database = Database("postgresql+psycopg://x@127.0.0.1:1/x")
    health = Health({"database": lambda: checks.check_database(database)})
    assert health.look_now(5.0)["database"].state == State.FAILED


def test_an_unreachable_broker_degrades(broker_url, tmp_path, broker_clock):
    """The check of a missing socket returns within three seconds."""
    reachable = Queue(make_celery(Settings(home=tmp_path, broker_url=broker_url)))
    assert checks.check_broker(reachable).state == State.OK
    unreachable = Queue(make_celery(Settings(home=tmp_path)))
    began = time.monotonic()
    part = checks.check_broker(unreachable)
    assert part.state == State.DEGRADED
    assert time.monotonic() - began + broker_clock.now < 3


def test_a_missing_folder_fails_and_a_nearly_full_one_degrades(tmp_path):
    """The check leaves no file in the folder."""
    assert checks.check_folder(tmp_path, 0).state == State.OK
    assert list(tmp_path.iterdir()) == []
    assert checks.check_folder(tmp_path, 2**60).state == State.DEGRADED
    assert checks.check_folder(tmp_path / "gone", 0).state == State.FAILED


def test_a_store_that_is_away_degrades_and_is_noticed_within_a_second(
    tmp_path, monkeypatch
):
    """Known networks still predict, so a load balancer must not remove the service."""
    server = s3.moto()
    with proxies.proxy_of(server.endpoint).serving() as proxy:
        url = server.new_url(monkeypatch, proxy.endpoint)
        storage = open_storage(Settings(home=tmp_path, storage_url=url))
        folder = tmp_path / "files"
        part = checks.check_storage(folder, 0, storage)
        assert part.state == State.OK
        assert part.detail.startswith("The store of files answers. The folder")
        assert checks.check_storage(folder, 2**60, storage).state == State.DEGRADED
        for fault in (proxies.overloaded, proxies.away, proxies.silent(5.0)):
            proxy.faults[:] = [fault]
            began = time.monotonic()
            part = checks.check_storage(folder, 0, storage)
            assert part.state == State.DEGRADED
            assert "does not answer" in part.detail
            assert time.monotonic() - began < 0.8
        assert checks.check_storage(tmp_path / "gone", 0, storage).state == State.FAILED
