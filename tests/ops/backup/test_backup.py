"""A backup has everything of a service, and restores it into any kind of service."""

import json
import sqlite3
from contextlib import closing

import pytest
from starlette.testclient import TestClient

from core.runs.checkpoint_files import checkpoint_key
from core.runs.tables import Checkpoint
from core.settings import Settings
from ops.backup import backup as backups
from ops.backup.backup import make_backup
from ops.backup.restore import restore_backup
from ops.expected_errors import CommandRefused
from service.app import create_app
from tests.ops.backup.contents import (
    assert_copied,
    assert_equal,
    files_of,
    new_bucket,
    new_home,
    new_postgres,
    rows_of,
)
from tests.servers import new_postgres_database
from tests.service.small_model import ROW, SPEC, ask


def test_a_backup_is_a_home_with_everything(service, made):
    """Every table of this service that can have rows has some."""
    copy = Settings(home=made)
    assert_copied(service, copy)
    filled = {name for name, rows in rows_of(copy).items() if rows}
    assert filled >= {"aliases", "artifacts", "dataset_blocks", "epochs", "webhooks"}
    stored = {
        path.relative_to(service.files).parts[0]
        for path in service.files.rglob("*")
        if path.is_file()
    }
    assert stored == {"datasets", "runs"}
    assert (made.stat().st_mode & 0o777) == 0o700


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


@pytest.mark.parametrize("kind", [new_postgres, new_bucket])
def test_another_kind_of_service_is_backed_up(made, tmp_path, monkeypatch, kind):
    settings = kind(tmp_path, monkeypatch)
    restore_backup(settings, made)
    again = make_backup(settings, tmp_path / "again")
    assert_equal(Settings(home=tmp_path / "again"), Settings(home=made))
    assert again.files.copied == len(files_of(Settings(home=made)))
    assert again.files.missing == []


@pytest.mark.parametrize("target", [new_home, new_postgres])
def test_a_row_may_refer_to_a_row_with_a_later_key(made, tmp_path, monkeypatch, target):
    """The ids of an upload and of its append may come from hosts with other clocks."""
    with closing(sqlite3.connect(made / "fitserve.db")) as connection:
        found = "SELECT parent_id FROM datasets WHERE parent_id IS NOT NULL"
        ((old,),) = connection.execute(found).fetchall()
        for place in ("datasets.id", "datasets.parent_id", "dataset_blocks.block_id"):
            table, column = place.split(".")
            connection.execute(
                f"UPDATE {table} SET {column} = 'zz' WHERE {column} = ?", [old]
            )
        connection.commit()
    settings = target(tmp_path, monkeypatch)
    restore_backup(settings, made)
    assert rows_of(settings) == rows_of(Settings(home=made))


def test_a_checkpoint_is_copied(service, tmp_path):
    """A checkpoint whose file has vanished is not required."""
    run_id, storage = service.post(SPEC), service.storage
    key = checkpoint_key(run_id, 1, 3)
    (tmp_path / "file").write_bytes(b"weights")
    storage.put(tmp_path / "file", key)
    recorded = {"epoch": 3, "seconds": 1.0, "sha256": "0" * 64, "num_bytes": 7}
    with service.database.write() as session:
        session.add(Checkpoint(run_id=run_id, key=key, **recorded))
    make_backup(service.settings, tmp_path / "backup")
    copied = tmp_path / "backup" / "files" / key
    assert copied.read_bytes() == b"weights"
    copied.unlink()
    restored = Settings(home=tmp_path / "restored")
    assert restore_backup(restored, tmp_path / "backup").files.missing == []
    assert len(rows_of(restored)["checkpoints"]) == 1


def test_files_that_vanish_are_reported_and_do_not_stop_a_restore(service, tmp_path):
    gone = next(key for key in files_of(service.settings) if key.startswith("datasets"))
    service.storage.delete(gone)
    made = make_backup(service.settings, tmp_path / "backup")
    assert made.files.missing == [gone]
    restored = restore_backup(Settings(home=tmp_path / "restored"), tmp_path / "backup")
    assert restored.files.missing == [gone]


def test_a_home_is_moved_to_postgres_and_keeps_its_files(made):
    """The files and the pepper of the home are those of the target."""
    (made / "key-pepper").write_bytes(b"p" * 32)
    moved = Settings(home=made, database_url=new_postgres_database())
    restored = restore_backup(moved, made)
    assert restored.files.copied == 0
    assert restored.files.existed == len(files_of(Settings(home=made)))
    assert rows_of(moved) == rows_of(Settings(home=made))
    assert (made / "key-pepper").read_bytes() == b"p" * 32


def test_the_first_backup_can_be_repeated_after_an_interruption(
    service, tmp_path, monkeypatch
):
    folder = tmp_path / "backup"
    with monkeypatch.context() as patch:
        patch.setattr(backups.FileCopy, "run", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make_backup(service.settings, folder)
    (folder / "unfinished-killed").mkdir()
    with pytest.raises(CommandRefused, match="incomplete"):
        restore_backup(Settings(home=tmp_path / "restored"), folder)
    make_backup(service.settings, folder)
    assert not list(folder.glob("unfinished-*"))
    assert_copied(service, Settings(home=folder))


def test_only_the_owner_can_read_a_backup(service, tmp_path):
    """Journals of a replaced database do not remain beside the new one."""
    folder = tmp_path / "backup"
    folder.mkdir(mode=0o755)
    make_backup(service.settings, folder)
    for ending in ("-wal", "-shm"):
        (folder / f"fitserve.db{ending}").write_bytes(b"stale")
    make_backup(service.settings, folder)
    assert (folder.stat().st_mode & 0o777) == 0o700
    assert ((folder / "fitserve.db").stat().st_mode & 0o777) == 0o600
    assert not list(folder.glob("fitserve.db-*"))


def test_the_folder_says_what_it_has(service, made):
    told = json.loads((made / "backup.json").read_text())
    assert told["rows"]["datasets"] == len(rows_of(service.settings)["datasets"])
    assert told["files"]["copied"] == len(files_of(service.settings))
