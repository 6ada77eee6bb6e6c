"""Damaged files and databases are reported or replaced, and do not end in a traceback."""

import os
import sqlite3
from contextlib import closing

import pytest
import typer
from sqlalchemy.exc import IntegrityError

from core.settings import Settings
from ops.backup.backup import make_backup
from ops.backup.restore import restore_backup
from ops.expected_errors import CommandRefused, exit_on_error
from tests.ops.backup.contents import assert_equal, files_of
from tests.servers import IS_SCALE_OUT

of_sqlite = pytest.mark.skipif(IS_SCALE_OUT, reason="the home has an SQLite database")


def network_of(files):
    """Return the file of a network in the files of a service or a backup."""
    return next((files / "runs").rglob("*.onnx"))


def table_of(files):
    """Return the file of a table, whose size no row records."""
    return next((files / "datasets").rglob("*.csv"))


def shorten(path):
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("file_of", [network_of, table_of])
def test_a_damaged_copy_is_copied_again(service, made, file_of):
    whole = files_of(Settings(home=made))
    shorten(file_of(made / "files"))
    again = make_backup(service.settings, made)
    assert files_of(Settings(home=made)) == whole
    assert (again.files.copied, again.files.existed) == (1, len(whole) - 1)
    assert again.files.damaged == []


def test_a_damaged_file_does_not_replace_its_whole_copy(service, made):
    whole = files_of(Settings(home=made))
    shorten(network_of(service.files))
    again = make_backup(service.settings, made)
    assert (again.files.copied, again.files.damaged) == (0, [])
    assert files_of(Settings(home=made)) == whole


def test_a_cut_table_does_not_replace_its_longer_copy(service, made):
    """No row records its size; the backup reports it."""
    whole = files_of(Settings(home=made))
    cut = table_of(service.files)
    shorten(cut)
    again = make_backup(service.settings, made)
    assert again.files.copied == 0
    assert again.files.damaged == [str(cut.relative_to(service.files))]
    assert files_of(Settings(home=made)) == whole


@pytest.mark.parametrize("file_of", [network_of, table_of])
def test_a_file_that_a_killed_restore_left_is_copied_again(made, tmp_path, file_of):
    target = Settings(home=tmp_path / "restored")
    left = target.files_dir / file_of(made / "files").relative_to(made / "files")
    left.parent.mkdir(parents=True)
    left.write_bytes(b"part")
    assert restore_backup(target, made).files.existed == 0
    assert_equal(target, Settings(home=made))


def test_a_restore_names_damaged_files(made, tmp_path):
    damaged = network_of(made / "files")
    shorten(damaged)
    restored = restore_backup(Settings(home=tmp_path / "restored"), made)
    assert restored.files.damaged == [str(damaged.relative_to(made / "files"))]


def test_a_link_in_a_backup_is_not_followed(made, tmp_path):
    secret = tmp_path / "secret"
    linked = network_of(made / "files")
    linked.rename(secret)
    linked.symlink_to(secret)
    with pytest.raises(CommandRefused, match=r"^1 files .* such as runs/"):
        restore_backup(Settings(home=tmp_path / "restored"), made)


def damage(database, skipped=4096):
    """Overwrite all pages of a database but the first."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(skipped)
        file.write(b"\xff" * (size - skipped))


def exit_code_of(command, settings, folder):
    with pytest.raises(typer.Exit) as ended, exit_on_error(as_json=False):
        command(settings, folder)
    return ended.value.exit_code


def test_a_damaged_database_is_not_restored(made, tmp_path, capsys):
    damage(made / "fitserve.db")
    target = Settings(home=tmp_path / "restored")
    assert exit_code_of(restore_backup, target, made) == 2
    told = capsys.readouterr().err
    assert "is damaged" in told
    assert "Use an earlier backup" in told
    shorten(made / "fitserve.db")
    assert exit_code_of(restore_backup, target, made) == 2


@of_sqlite
@pytest.mark.parametrize("skipped", [0, 4096])
def test_a_damaged_database_is_not_backed_up(made, tmp_path, capsys, skipped):
    damage(made / "fitserve.db", skipped)
    assert exit_code_of(make_backup, Settings(home=made), tmp_path / "new") == 2
    assert "database is damaged" in capsys.readouterr().err


def test_a_bug_is_not_reported_as_damage():
    broken = IntegrityError("INSERT", {}, sqlite3.IntegrityError("not unique"))
    with pytest.raises(IntegrityError), exit_on_error(as_json=False):
        raise broken
