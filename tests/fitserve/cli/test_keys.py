"""Test `fitserve keys` on a database without a running service."""

import json

import pytest
from typer.testing import CliRunner

from core.keys.tokens import parse
from fitserve.cli.app import make_app
from ops.keys import app


@pytest.fixture
def keys(tmp_path, monkeypatch):
    monkeypatch.delenv("FITSERVE_DATABASE_URL", raising=False)

    def run(*line):
        return CliRunner().invoke(app, [*line, "--home", str(tmp_path / "home")])

    return run


def test_a_key_is_created_listed_and_revoked(keys):
    """stdout has only the key; the list has no secret."""
    made = keys("create", "ci", "--scope", "models:predict", "--workspace", "a")
    assert made.exit_code == 0, made.output
    token = parse(made.stdout.strip())
    listed = json.loads(keys("list", "--json").stdout)["items"]
    assert [(key["id"], key["workspace"]) for key in listed] == [(token.key_id, "a")]
    assert token.secret not in keys("list").output
    assert keys("revoke", token.key_id).exit_code == 0
    assert "revoked" in keys("list").stdout


def test_keys_is_a_command_of_fitserve(tmp_path):
    """The command is found by its entry point, and says which keys it uses."""
    home = ["--home", str(tmp_path / "home")]
    run = CliRunner(env={"FITSERVE_URL": "http://elsewhere:8000"}).invoke
    done = run(make_app(), ["keys", "create", "ci", *home])
    where, unused = f"Keys in the home {tmp_path / 'home'}", "http://elsewhere:8000"
    assert f"{where}; the service at {unused} is not used:\n" in done.stderr
    listed = run(make_app(), ["keys", "list", "--json", *home])
    assert [key["name"] for key in json.loads(listed.stdout)["items"]] == ["ci"]
    assert listed.stderr == ""


@pytest.mark.parametrize("line", [["list"], ["revoke", "ci"]])
def test_a_home_that_does_not_exist_is_refused(keys, tmp_path, line):
    """A wrong path creates nothing, nor a database in another folder."""
    home = tmp_path / "home"
    done = keys(*line)
    assert done.exit_code == 2
    assert f"There is no folder {home}" in done.stderr
    assert not home.exists()
    home.mkdir()
    assert f"There is no database in {home}" in keys(*line).stderr
    assert not list(home.iterdir())


def test_json_has_all_fields_of_a_new_key(keys):
    """All options are used."""
    options = ("--expires-in-days", "2", "--requests-per-second", "5")
    options += ("--queued-runs", "1", "--stored-bytes", "9", "--json")
    made = json.loads(keys("create", "ci", *options).stdout)
    assert parse(made["key"]).key_id == made["id"]
    limits = {"requests_per_second": 5, "queued_runs": 1, "stored_bytes": 9}
    assert made["limits"] == limits
    assert "admin" not in made["scopes"]


def test_revoking_a_key_has_json(keys):
    """stdout has the revoked key, or stderr the problem."""
    made = json.loads(keys("create", "ci", "--json").stdout)
    printed = keys("revoke", made["id"], "--json").stdout
    assert json.loads(printed) == {"revoked": made["id"]}
    refused = keys("revoke", "nope", "--json")
    assert json.loads(refused.stderr)["type"] == "/problems/key-not-found"


def test_a_name_is_sufficient_if_one_active_key_has_it(keys):
    """An ambiguous name is refused; revoked keys do not count."""
    made = [json.loads(keys("create", "ci", "--json").stdout)["id"] for _ in range(2)]
    done = keys("revoke", "ci")
    assert done.exit_code == 2
    assert all(key_id in done.stderr for key_id in made)
    assert keys("revoke", made[0]).exit_code == 0
    assert keys("revoke", "ci").stdout == f"Key {made[1]} ('ci') is revoked.\n"
    assert keys("revoke", "ci").exit_code == 3


def test_no_scope_is_broken_in_the_list(keys):
    """The list has 80 columns and no ambiguous heading for the end of a key."""
    keys("create", "reader")
    shown = keys("list").stdout
    assert "datasets:write" in shown
    assert "ends in" not in shown


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        (("create", "a b"), 2, "#/name"),
        (("create", "k", "--workspace", ".."), 2, "#/workspace"),
        (("create", "k", "--queued-runs", "-1"), 2, "queued_runs"),
        (("create", "k", "--scope", "all"), 2, "scope"),
        (("revoke", "nope"), 3, "no API key 'nope'"),
    ],
)
def test_invalid_arguments_are_explained(keys, line, code, word):
    """The output has a sentence, and the exit code is as documented."""
    keys("create", "other")
    done = keys(*line)
    assert (done.exit_code, word in done.output) == (code, True), done.output


def test_an_unavailable_database_is_reported(keys, monkeypatch):
    """The output has no traceback."""
    url = "postgresql+psycopg://localhost:1/none"
    monkeypatch.setenv("FITSERVE_DATABASE_URL", url)
    done = keys("list")
    assert done.exit_code == 4
    assert "does not answer" in done.output
