"""`fitserve keys`, on a database that nobody serves."""

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


def test_a_key_is_made_listed_and_ended(keys):
    """The key alone is on stdout; the list has no secret."""
    made = keys("create", "ci", "--scope", "models:predict", "--workspace", "a")
    assert made.exit_code == 0, made.output
    token = parse(made.stdout.strip())
    told = json.loads(keys("list", "--json").stdout)["items"]
    assert [(key["id"], key["workspace"]) for key in told] == [(token.key_id, "a")]
    assert token.secret not in keys("list").output
    assert keys("revoke", token.key_id).exit_code == 0
    assert "revoked" in keys("list").stdout


def test_it_is_a_command_of_fitserve(tmp_path):
    """Found by its entry point, as a group."""
    line = ["keys", "list", "--json", "--home", str(tmp_path / "home")]
    told = CliRunner().invoke(make_app(), line)
    assert json.loads(told.stdout) == {"items": []}


def test_as_json_it_tells_all(keys):
    """With every option."""
    options = ("--expires-in-days", "2", "--requests-per-second", "5")
    options += ("--queued-runs", "1", "--stored-bytes", "9", "--json")
    made = json.loads(keys("create", "ci", *options).stdout)
    assert parse(made["key"]).key_id == made["id"]
    limits = {"requests_per_second": 5, "queued_runs": 1, "stored_bytes": 9}
    assert made["limits"] == limits
    assert "admin" not in made["scopes"]


def test_ending_one_is_told_to_programs_too(keys):
    """Done, or the problem on stderr."""
    made = json.loads(keys("create", "ci", "--json").stdout)
    told = keys("revoke", made["id"], "--json").stdout
    assert json.loads(told) == {"revoked": made["id"]}
    refused = keys("revoke", "nope", "--json")
    assert json.loads(refused.stderr)["type"] == "/problems/key-not-found"


def test_a_name_will_do_where_one_key_in_force_has_it(keys):
    """Of two it names neither; one that is revoked is none."""
    made = [json.loads(keys("create", "ci", "--json").stdout)["id"] for _ in range(2)]
    told = keys("revoke", "ci")
    assert told.exit_code == 2
    assert all(key_id in told.stderr for key_id in made)
    assert keys("revoke", made[0]).exit_code == 0
    assert keys("revoke", "ci").stdout == f"Key {made[1]} ('ci') is revoked.\n"
    assert keys("revoke", "ci").exit_code == 3


def test_no_scope_is_broken_in_the_list(keys):
    """At 80 columns; the end of a key is not taken for its expiry."""
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
def test_what_cannot_be_done_is_told(keys, line, code, word):
    """In a sentence, by an exit code."""
    told = keys(*line)
    assert (told.exit_code, word in told.output) == (code, True), told.output


def test_a_database_that_is_away_is_told(keys, monkeypatch):
    """No traceback."""
    away = "postgresql+psycopg://localhost:1/none"
    monkeypatch.setenv("FITSERVE_DATABASE_URL", away)
    told = keys("list")
    assert told.exit_code == 4
    assert "does not answer" in told.output
