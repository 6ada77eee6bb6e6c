"""The messages and exit codes of `fitserve backup` and `fitserve restore`."""

import json

import pytest
import typer
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from core.settings import Settings
from ops.backup.command import backup, restore
from ops.expected_errors import exit_on_error
from tests.disks import small_disk
from tests.ops.backup.contents import rows_of
from tests.servers import IS_SCALE_OUT

pytestmark = pytest.mark.skipif(IS_SCALE_OUT, reason="backs up a home with SQLite")


@pytest.fixture
def run(monkeypatch):
    """Run a command with these words."""
    app = typer.Typer()
    app.command()(backup)
    app.command()(restore)
    monkeypatch.delenv("FITSERVE_DATABASE_URL", raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def home(service):
    """Return the home of the service, which is in use."""
    return service.settings.home_dir


def test_a_backup_is_made_and_restored(run, home, tmp_path):
    made = run("backup", tmp_path / "b", "--home", home)
    assert made.exit_code == 0, made.output
    assert f"backed up to {tmp_path / 'b'}: datasets 3, runs 2" in made.stdout
    assert made.stderr == ""
    restored = run("restore", tmp_path / "b", "--home", tmp_path / "r", "--json")
    assert restored.exit_code == 0, restored.output
    told = json.loads(restored.stdout)
    assert told["rows"]["datasets"] == len(rows_of(Settings(home=home))["datasets"])


def test_missing_files_are_counted(run, service, home, tmp_path):
    key = next(iter(service.storage.list("datasets")))
    service.storage.delete(key)
    made = run("backup", tmp_path / "b", "--home", home)
    assert made.exit_code == 0, made.output
    assert f"1 files that the database names are missing, such as {key}" in made.stderr


def test_a_mistaken_backup_creates_nothing(run, tmp_path):
    done = run("backup", tmp_path / "b", "--home", tmp_path / "h")
    assert done.exit_code == 2
    assert "There is no database" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("FITSERVE_STORAGE_URL", "ftp://x/y", "the scheme 'ftp'"),
        ("FITSERVE_STORAGE_URL", "file:x", "FITSERVE_STORAGE_URL: "),
        ("FITSERVE_DATABASE_URL", "mysql://x/y", "FITSERVE_DATABASE_URL names"),
        ("FITSERVE_DATABASE_URL", "nothing", "FITSERVE_DATABASE_URL: "),
        ("FITSERVE_PORT", "many", "FITSERVE_PORT: "),
    ],
)
def test_wrong_settings_are_named(
    run, home, tmp_path, monkeypatch, variable, value, message
):
    monkeypatch.setenv(variable, value)
    done = run("backup", tmp_path / "b", "--home", home)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_full_disk_is_reported(run, home, tmp_path):
    with small_disk(tmp_path / "disk", "128k"):
        done = run("backup", tmp_path / "disk" / "b", "--home", home)
        assert done.exit_code in (3, 4)
        assert "The disk is full" in done.stderr


def test_a_full_disk_of_a_restore_is_reported(run, made, tmp_path):
    """In the words of a command, not in those of the API."""
    network = next((made / "files" / "runs").rglob("*.onnx"))
    network.write_bytes(bytes(9_000_000))
    with small_disk(tmp_path / "disk", "8m"):
        done = run("restore", made, "--home", tmp_path / "disk" / "h", "--json")
        assert (done.exit_code, done.stdout) == (3, "")
        assert "The disk is full" in done.stderr
        assert "of this service" not in done.stderr


def test_a_damaged_file_is_named(run, made, tmp_path):
    network = next((made / "files" / "runs").rglob("*.onnx"))
    network.write_bytes(b"part")
    restored = run("restore", made, "--home", tmp_path / "r")
    assert restored.exit_code == 0, restored.output
    key = network.relative_to(made / "files")
    assert f"another size than was recorded, such as {key}" in restored.stderr


def test_a_full_database_is_not_a_wrong_url(capsys):
    engine = create_engine("sqlite://")
    full = engine.connect()
    full.execute(text("CREATE TABLE t (a)"))
    full.execute(text("PRAGMA max_page_count = 1"))
    with pytest.raises(typer.Exit), exit_on_error(as_json=False):
        full.execute(text("INSERT INTO t VALUES (zeroblob(1000000))"))
    full.close()
    engine.dispose()
    assert "The disk is full" in capsys.readouterr().err


def test_a_file_of_another_format_is_refused(run, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "fitserve.db").write_bytes(b"text" * 4096)
    done = run("restore", tmp_path / "b", "--home", tmp_path / "h")
    assert done.exit_code == 2
    assert "is not an SQLite database" in done.stderr
