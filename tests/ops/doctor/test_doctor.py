"""`fitserve doctor`, run as a command."""

import json
import os
import socket
import stat
import subprocess
import sys

import pytest

from tests.e2e_service import ROOT

CODE = "from ops.doctor.command import doctor; import typer; typer.run(doctor)"
KEY = "0123456789abcdef-and-more"


def doctor(home, *options, **environment):
    """Run the command; return its exit code and its findings by name."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FITSERVE_")}
    done = subprocess.run(
        [sys.executable, "-c", CODE, "--home", home, "--json", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=clean | environment,
    )
    report = json.loads(done.stdout)
    assert report["ok"] == (done.returncode == 0)
    return done.returncode, {finding["name"]: finding for finding in report["findings"]}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def verdicts(findings):
    return {name: finding["verdict"] for name, finding in findings.items()}


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_before_the_first_start_all_is_ok_and_no_file_is_created(home):
    code, findings = doctor(home, FITSERVE_PORT=free_port())
    assert code == 0
    assert set(verdicts(findings).values()) == {"ok"}, findings
    assert not home.exists()


def test_a_port_used_by_another_program_is_a_failure(home):
    """The finding says how to fix it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        code, findings = doctor(home, FITSERVE_PORT=port)
    assert code == 1
    assert findings["port"]["verdict"] == "failed"
    assert "FITSERVE_PORT" in findings["port"]["mend"]


@pytest.mark.heavy
def test_the_port_may_be_an_option_or_that_of_the_url(home):
    """The option comes first, then FITSERVE_PORT, then FITSERVE_URL on this machine."""
    url = "http://{}:{}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        for options, variables in [
            (("--port", port), {"FITSERVE_PORT": free_port()}),
            ((), {"FITSERVE_URL": url.format("localhost", port)}),
        ]:
            _, findings = doctor(home, *options, **variables)
            assert findings["port"]["verdict"] == "failed", variables
        other = free_port()
        for variables in [
            {"FITSERVE_PORT": other, "FITSERVE_URL": url.format("localhost", port)},
            {"FITSERVE_URL": url.format("example.org", port)},
            {"FITSERVE_URL": url.format("localhost", "x")},
        ]:
            _, findings = doctor(home, **variables)
            assert port not in findings["port"]["detail"], variables


@pytest.mark.parametrize(
    ("variables", "name", "verdict", "word"),
    [
        ({"FITSERVE_HOST": "0.0.0.0"}, "key", "failed", "0.0.0.0"),
        ({"FITSERVE_PORT": "many"}, "settings", "failed", "FITSERVE_PORT"),
        ({"FITSERVE_ALLOWED_HOSTS": "me"}, "settings", "failed", "allowed_hosts"),
        ({"FITSERVE_API_KEI": KEY}, "environment", "warning", "FITSERVE_API_KEI"),
        ({"FITSERVE_API_KEY": "ab" * 10}, "key", "warning", "2 different"),
        ({"FITSERVE_API_KEY": KEY}, "key", "ok", "different"),
        ({"FITSERVE_MIN_FREE_BYTES": str(2**60)}, "storage", "warning", "GiB"),
        ({"FITSERVE_STORAGE_URL": "ftp://x/y"}, "storage", "failed", "'ftp'"),
        ({"FITSERVE_DATABASE_URL": "nonsense"}, "database", "failed", "DATABASE_URL"),
        (
            {"FITSERVE_BROKER_URL": "redis://127.0.0.1:1/0"},
            "broker",
            "warning",
            "reached",
        ),
        (
            {"FITSERVE_DATABASE_URL": "postgresql+psycopg://me:hunter2@127.0.0.1:1/x"},
            "database",
            "failed",
            "OperationalError",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_wrong_settings_are_found(home, variables, name, verdict, word):
    """Each finding says how to fix the setting, and no secret is shown."""
    variables = {"FITSERVE_PORT": free_port()} | variables
    code, findings = doctor(home, **variables)
    finding = findings[name]
    assert finding["verdict"] == verdict
    assert word in finding["detail"]
    assert (finding["mend"] != "") == (verdict != "ok")
    assert (code == 1) == ("failed" in verdicts(findings).values())
    assert KEY not in json.dumps(findings)
    assert "hunter2" not in json.dumps(findings)


def test_a_home_that_others_may_read_is_a_warning(home):
    """The suggested command removes the warning."""
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    _, findings = doctor(home, FITSERVE_PORT=free_port())
    assert findings["home"]["verdict"] == "warning"
    assert findings["home"]["mend"] == f"chmod 700 {home}"
    home.chmod(stat.S_IRWXU)
    _, findings = doctor(home, FITSERVE_PORT=free_port())
    assert findings["home"]["verdict"] == "ok"


def test_a_database_that_is_not_migrated_is_a_failure(home):
    """The finding names the command that migrates it."""
    home.mkdir(mode=0o700)
    import sqlite3

    with sqlite3.connect(home / "fitserve.db") as connection:
        connection.execute("CREATE TABLE x (y)")
    connection.close()
    code, findings = doctor(home, FITSERVE_PORT=free_port())
    assert code == 1
    assert "core.database.migrate" in findings["migrations"]["mend"]


def test_without_json_the_command_prints_a_table(home):
    """`doctor` is a command of fitserve."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, "--home", home],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"FITSERVE_PORT": free_port(), "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    assert "how to fix it" in done.stdout
    assert 'doctor = "ops.doctor.command:doctor"' in (ROOT / "pyproject.toml").read_text()
