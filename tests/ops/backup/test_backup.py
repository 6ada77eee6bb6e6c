"""A backup has everything of a service, and restores it into any kind of service."""

import json
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from core.database.sessions import Database
from core.settings import Settings
from core.storage import open_storage
from ops.backup import backup as backups
from ops.backup.backup import make_backup
from ops.backup.restore import restore_backup
from ops.backup.rows import tables
from ops.expected_errors import CommandRefused
from ops.home_lock import hold_home
from ops.supervisor.cannot_start import CannotStart
from service.app import create_app
from tests import s3
from tests.conftest import bench_in
from tests.servers import new_postgres_database
from tests.service.small_model import ROW, SPEC, ask

ROWS = "\n".join(f"{i},{i % 3}" for i in range(40))


@pytest.fixture
def service(tmp_path, broker_url, small_home):
    """Return a service with a model, an appended table, a key and a webhook."""
    with bench_in(tmp_path / "home", broker_url, small_home) as bench:
        bench.upload("a,y\n" + ROWS, "growing")
        more = bench.client.post("/v1/datasets/growing/rows", content="a,y\n" + ROWS)
        assert more.status_code == 201, more.text
        alias = bench.client.put("/v1/models/m/aliases/live", json={"version": 1})
        assert alias.is_success, alias.text
        bench.post(SPEC | {"webhook": {"url": "https://example.com/hook"}})
        yield bench


@pytest.fixture
def made(service, tmp_path):
    """Return the folder of a backup of the service."""
    make_backup(service.settings, tmp_path / "backup")
    return tmp_path / "backup"


def rows_of(settings):
    """Return all rows by table."""
    with (
        closing(Database(settings.resolved_database_url)) as database,
        database.engine.connect() as connection,
    ):
        return {
            table.name: connection.execute(
                select(table).order_by(*table.primary_key)
            ).all()
            for table in tables()
        }


def files_of(settings):
    """Return the content of every stored file by key."""
    storage = open_storage(settings)
    found = {}
    for folder in ("datasets", "runs"):
        for key in storage.list(folder):
            with storage.open(key) as content:
                found[key] = content.read()
    return found


def assert_equal(copy, other):
    """The copy has the same rows and files, in each value."""
    assert rows_of(copy) == rows_of(other)
    assert files_of(copy) == files_of(other)


def assert_copied(service, copy):
    """A running service sends the messages of its runs meanwhile."""
    here, there = rows_of(service.settings), rows_of(copy)
    for name in ("runs", "webhooks"):
        assert [row[0] for row in here.pop(name)] == [row[0] for row in there.pop(name)]
    assert here == there
    assert files_of(service.settings) == files_of(copy)


def test_a_backup_is_a_home_with_everything(service, made):
    """Every table of this service that can have rows has some."""
    copy = Settings(home=made)
    assert_copied(service, copy)
    filled = {name for name, rows in rows_of(copy).items() if rows}
    assert filled >= {"aliases", "artifacts", "dataset_blocks", "epochs", "webhooks"}
    stored = {
        path.relative_to(service.settings.files_dir).parts[0]
        for path in service.settings.files_dir.rglob("*")
        if path.is_file()
    }
    assert stored == {"datasets", "runs"}
    assert (made.stat().st_mode & 0o777) == 0o700


def new_home(tmp_path, _):
    return Settings(home=tmp_path / "restored", broker_url="redis://localhost:1")


def new_postgres(tmp_path, _):
    url = new_postgres_database()
    return Settings(home=tmp_path / "restored", database_url=url)


def new_bucket(tmp_path, patch):
    url = s3.rclone().new_url(patch)
    return Settings(home=tmp_path / "restored", storage_url=url)


@pytest.mark.parametrize("target", [new_home, new_postgres, new_bucket])
def test_a_backup_is_restored(service, made, tmp_path, monkeypatch, target):
    """The service that has the backup predicts as the first one."""
    settings = target(tmp_path, monkeypatch)
    restore_backup(settings, made)
    assert_equal(settings, Settings(home=made))
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        answer = ask(client, instances=[ROW]).json()
    assert (
        answer["predictions"]
        == ask(service.client, instances=[ROW]).json()["predictions"]
    )


def test_a_repeated_backup_copies_and_removes_what_changed(service, made):
    first = files_of(Settings(home=made))
    for path in ("models/m/aliases/live", "models/m", "datasets/growing"):
        deleted = service.client.delete(f"/v1/{path}")
        assert deleted.is_success, deleted.text
    service.upload("a,y\n1,2\n3,4\n", "small")
    again = make_backup(service.settings, made)
    assert_copied(service, Settings(home=made))
    now = files_of(Settings(home=made))
    assert again.files.copied == len(now.keys() - first.keys()) > 0
    assert again.files.removed == len(first.keys() - now.keys()) > 0
    assert again.files.existed == len(first.keys() & now.keys()) > 0


def test_an_interrupted_backup_leaves_the_previous_one_whole(service, made, monkeypatch):
    before = rows_of(Settings(home=made))
    service.upload("a,y\n1,2\n3,4\n", "small")
    monkeypatch.setattr(backups.FileCopy, "run", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_backup(service.settings, made)
    assert rows_of(Settings(home=made)) == before
    assert not list(made.glob("unfinished-*"))


def test_keys_are_valid_in_the_copy(service, tmp_path):
    create = {"name": "k", "scopes": ["models:read"]}
    made = service.client.post("/v1/keys", json=create)
    assert made.status_code == 201, made.text
    make_backup(service.settings, tmp_path / "keys")
    copy = Settings(home=tmp_path / "restored")
    restore_backup(copy, tmp_path / "keys")
    token = {"Authorization": f"Bearer {made.json()['key']}"}
    with TestClient(create_app(copy), base_url="http://localhost") as client:
        assert client.get("/v1/models").status_code == 401
        assert client.get("/v1/models", headers=token).is_success


def test_wrong_folders_of_a_backup_are_refused(service, tmp_path):
    """Nothing of them changes."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(CommandRefused, match="has other files"):
        make_backup(service.settings, other)
    with pytest.raises(CommandRefused, match="is a file"):
        make_backup(service.settings, other / "letter.txt")
    with (
        hold_home(service.settings),
        pytest.raises(CommandRefused, match="the home of a service"),
    ):
        make_backup(service.settings, service.settings.home_dir)
    assert [path.name for path in other.iterdir()] == ["letter.txt"]


def test_a_home_without_a_database_has_nothing_to_back_up(tmp_path):
    with pytest.raises(CommandRefused, match="nothing to back up"):
        make_backup(Settings(home=tmp_path / "home"), tmp_path / "backup")


def test_a_service_with_data_or_a_running_one_is_not_restored(service, made, tmp_path):
    before = rows_of(service.settings)
    with pytest.raises(CommandRefused, match=r"2 datasets|3 datasets|datasets"):
        restore_backup(service.settings, made)
    assert rows_of(service.settings) == before
    target = Settings(home=tmp_path / "restored")
    with hold_home(target), pytest.raises(CannotStart, match="uses the home"):
        restore_backup(target, made)


def test_folders_that_are_no_backups_are_not_restored(made, tmp_path):
    target = Settings(home=tmp_path / "restored")
    with pytest.raises(CommandRefused, match=r"has no fitserve\.db"):
        restore_backup(target, tmp_path)
    (tmp_path / "fitserve.db").write_bytes(b"text" * 4096)
    with pytest.raises(CommandRefused, match="not an SQLite database"):
        restore_backup(target, tmp_path)
    with closing(sqlite3.connect(made / "fitserve.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(CommandRefused, match="revision 9999"):
        restore_backup(target, made)


def test_the_folder_says_what_it_has(service, made):
    told = json.loads((made / "backup.json").read_text())
    assert told["rows"]["datasets"] == len(rows_of(service.settings)["datasets"])
    assert told["files"]["copied"] == len(files_of(service.settings))
