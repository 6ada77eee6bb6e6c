"""A backup or a restore with wrong arguments or settings changes nothing."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from core.database.sessions import Database
from core.settings import Settings
from core.workers.repository import BOTH, WorkerRepository
from ops.backup.backup import make_backup
from ops.backup.folder import hold_backup
from ops.backup.restore import restore_backup
from ops.expected_errors import CommandRefused
from ops.home_lock import hold_home
from ops.supervisor.cannot_start import CannotStart
from tests.ops.backup.contents import ids_of
from tests.servers import IS_SCALE_OUT, sqlite_at_head

of_sqlite = pytest.mark.skipif(IS_SCALE_OUT, reason="the home has an SQLite database")


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


def test_a_backup_without_its_description_is_named(service, made):
    (made / "backup.json").unlink()
    with pytest.raises(CommandRefused, match=r"no backup\.json"):
        make_backup(service.settings, made)


def test_a_home_without_a_database_has_nothing_to_back_up(tmp_path):
    with pytest.raises(CommandRefused, match="There is no database"):
        make_backup(Settings(home=tmp_path / "home"), tmp_path / "backup")
    assert not list(tmp_path.iterdir())


def test_a_service_with_data_or_a_running_one_is_not_restored(service, made, tmp_path):
    before = ids_of(service.settings)
    with pytest.raises(CommandRefused, match="3 datasets"):
        restore_backup(service.settings, made)
    assert ids_of(service.settings) == before
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


def content_of(folder):
    """Return the content of every file below the folder, by path."""
    return {
        str(path): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


@of_sqlite
def test_a_wrong_environment_does_not_empty_a_backup(service, made, tmp_path):
    """An empty database, or a storage without the files of the service."""
    before = content_of(made)
    empty = tmp_path / "empty"
    empty.mkdir()
    sqlite_at_head(f"sqlite:///{empty / 'fitserve.db'}")
    elsewhere = {"storage_url": f"file://{tmp_path}/elsewhere"}
    cases = {
        "no dataset, run or model": Settings(home=empty),
        "has none of the files": Settings(home=service.settings.home, **elsewhere),
    }
    for reason, settings in cases.items():
        with pytest.raises(CommandRefused, match=reason):
            make_backup(settings, made)
    assert content_of(made) == before


def test_rows_are_not_restored_without_their_files(made, tmp_path):
    """A stopped service may have had its files elsewhere."""
    (made / "backup.json").unlink()
    shutil.rmtree(made / "files")
    target = Settings(home=tmp_path / "restored")
    with pytest.raises(CommandRefused, match="FITSERVE_STORAGE_URL"):
        restore_backup(target, made)
    assert not target.database_file.exists()
    assert not (made / "files").exists()


def test_a_backup_that_lost_a_file_is_not_restored(made, tmp_path):
    next((made / "files" / "runs").rglob("*.onnx")).unlink()
    with pytest.raises(CommandRefused, match=r"^1 files .* such as runs/"):
        restore_backup(Settings(home=tmp_path / "restored"), made)


def test_the_pepper_of_another_service_stays(service, tmp_path):
    key = {"name": "k", "scopes": ["models:read"]}
    assert service.client.post("/v1/keys", json=key).is_success
    made, target = tmp_path / "backup", Settings(home=tmp_path / "restored")
    make_backup(service.settings, made)
    target.home_dir.mkdir()
    (target.home_dir / "key-pepper").write_bytes(b"o" * 32)
    with pytest.raises(CommandRefused, match="differs from the pepper"):
        restore_backup(target, made)
    assert (target.home_dir / "key-pepper").read_bytes() == b"o" * 32
    assert not target.database_file.exists()
    given = Settings(home=tmp_path / "given", key_pepper="s" * 32)
    (warning,) = restore_backup(given, made).warnings
    assert "FITSERVE_KEY_PEPPER is set" in warning


@of_sqlite
def test_a_database_of_an_older_release_is_not_migrated_before_it_is_refused(
    service, made
):
    with closing(sqlite3.connect(service.settings.database_file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0006'")
        connection.commit()
        with pytest.raises(CommandRefused, match="already has data"):
            restore_backup(service.settings, made)
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found == ("0006",)


@of_sqlite
def test_services_that_run_are_refused(service, made, tmp_path):
    """The one to restore, and one without `fitserve up` to restore into."""
    target = Settings(home=tmp_path / "restored")
    with (
        hold_home(service.settings),
        pytest.raises(CommandRefused, match="A service runs in"),
    ):
        restore_backup(target, service.settings.home_dir)
    sqlite_at_head(target.resolved_database_url)
    with (
        closing(Database(target.resolved_database_url)) as database,
        database.write() as session,
    ):
        WorkerRepository(session).beat("host:1", BOTH)
    with pytest.raises(CommandRefused, match="within the last minute"):
        restore_backup(target, made)


def test_a_backup_in_use_is_refused(service, made, tmp_path):
    target = Settings(home=tmp_path / "restored")
    uses = ((make_backup, service.settings), (restore_backup, target))
    for command, settings in uses:
        with hold_backup(made), pytest.raises(CommandRefused, match="Another `fitserve"):
            command(settings, made)
