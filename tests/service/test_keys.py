"""Tests of /v1/keys."""

import pytest

from fitserve.scopes import Scope
from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.service.auth.keys import bearing


@pytest.fixture(scope="module")
def client(tmp_path_factory, broker_url):
    """Create the first key without a key, on loopback, and use it as the operator's."""
    with bench_in(tmp_path_factory.mktemp("keys") / "home", broker_url) as bench:
        first = {"name": "first", "scopes": ["admin"]}
        made = bench.client.post("/v1/keys", json=first)
        assert made.status_code == 201, made.text
        assert bench.client.get("/v1/keys").status_code == 401
        bench.client.headers.update(bearing(made.json()["key"]))
        yield bench.client


def test_a_key_is_created_shown_once_and_revoked(client):
    """Its limits, scopes and workspace are those of the request."""
    spec = {
        "name": "ci",
        "workspace": "team-a",
        "scopes": ["models:predict", "models:predict"],
        "expires_in_days": 1,
        "limits": {"queued_runs": 3},
    }
    made = client.post("/v1/keys", json=spec).json()
    key = made.pop("key")
    assert (made["workspace"], made["scopes"]) == ("team-a", ["models:predict"])
    assert made["limits"]["queued_runs"] == 3
    assert key.endswith(made["last_four"])
    listed = client.get("/v1/keys", params={"workspace": "team-a"})
    assert listed.json() == {"items": [made], "next_cursor": None}
    assert client.get("/v1/runs", headers=bearing(key)).status_code == 403
    for _ in range(2):
        assert client.delete(f"/v1/keys/{made['id']}").status_code == 204
    assert client.get("/v1/runs", headers=bearing(key)).status_code == 401
    (ended,) = client.get("/v1/keys", params={"workspace": "team-a"}).json()["items"]
    assert ended["revoked_at"] is not None


def test_a_key_can_read_its_own_description(client):
    """The description needs no scope and has no secret."""
    spec = {"name": "phone", "workspace": "team-b", "scopes": ["runs:read"]}
    made = client.post("/v1/keys", json=spec).json()
    key = made["key"]
    current = client.get("/v1/keys/current", headers=bearing(key)).json()
    wanted = ("id", "name", "workspace", "scopes", "expires_at")
    assert current == {name: made[name] for name in wanted}
    assert_problem(
        client.delete("/v1/keys/current", headers=bearing(key)), 403, "missing-scope"
    )


def test_without_keys_a_local_program_has_every_scope(bench):
    """Its workspace is `default`."""
    current = bench.client.get("/v1/keys/current").json()
    assert (current["id"], current["name"], current["workspace"]) == (
        None,
        None,
        "default",
    )
    assert current["scopes"] == list(Scope)


def test_keys_come_in_pages(client):
    for i in range(3):
        client.post("/v1/keys", json={"name": f"k{i}"})
    found, cursor = [], None
    while True:
        page = client.get("/v1/keys", params={"limit": 2, "cursor": cursor or ""}).json()
        found += [key["id"] for key in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(set(found)) == len(found) >= 4


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({}, "#/name"),
        ({"name": "../x"}, "#/name"),
        ({"name": "k", "workspace": "a b"}, "#/workspace"),
        ({"name": "k", "scopes": []}, "#/scopes"),
        ({"name": "k", "scopes": ["runs:all"]}, "#/scopes/0"),
        ({"name": "k", "expires_in_days": 0}, "#/expires_in_days"),
        ({"name": "k", "limits": {"queued_runs": -1}}, "#/limits/queued_runs"),
        ({"name": "k", "hash": "0"}, "#/hash"),
    ],
)
def test_an_invalid_key_is_refused_with_a_pointer(client, spec, pointer):
    body = assert_problem(client.post("/v1/keys", json=spec), 422, "invalid-body")
    assert [error["pointer"] for error in body["errors"]] == [pointer]


def test_an_unknown_key_cannot_be_revoked(client):
    assert_problem(client.delete("/v1/keys/nope"), 404, "key-not-found")
