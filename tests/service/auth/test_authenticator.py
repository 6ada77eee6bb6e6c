"""Keys: when they are valid, when they end, how fast they may ask."""

import logging
import time
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from starlette.testclient import TestClient

from core import refresh_ahead_cache
from core.database.base import utc_now
from core.keys.repository import ApiKeyRepository
from core.keys.tables import ApiKey
from core.keys.tokens import new_token
from core.settings import Limits
from service.app import create_app
from service.auth import api_key_cache
from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.servers import IS_SCALE_OUT
from tests.service.auth.keys import bearing, id_of, make_key
from tests.timing import Clock, until

LIMITS = Limits(unknown_keys_per_minute=6)


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    """One for all that need no home of their own; it has had a key from the start."""
    with bench_in(tmp_path_factory.mktemp("auth") / "home", broker_url) as bench:
        make_key(bench)
        yield bench


@pytest.fixture(scope="module")
def strict(tmp_path_factory, broker_url):
    home = tmp_path_factory.mktemp("strict") / "home"
    with bench_in(home, broker_url, limits=LIMITS) as bench:
        yield bench


@pytest.fixture
def clock(monkeypatch):
    """The time by which cached keys age."""
    clock = Clock(time.monotonic())
    monkeypatch.setattr(refresh_ahead_cache, "time", clock)
    return clock


@pytest.fixture
def often(monkeypatch):
    """An application that is made now reads the keys in use again every 10 ms."""
    monkeypatch.setattr(api_key_cache, "_MAX_AGE", 0.02)


@pytest.fixture
def fresh(tmp_path, broker_url):
    with bench_in(tmp_path / "home", broker_url) as bench:
        yield bench


def test_a_rate_near_nothing_waits_for_a_day(strict):
    """The true wait is no number that a header can tell."""
    key = make_key(strict, limits={"requests_per_second": 5e-324})
    assert asked(strict.client, key) == 200
    refused = strict.client.get("/v1/runs", headers=bearing(key))
    assert_problem(refused, 429, "too-many-requests")
    assert refused.headers["retry-after"] == "86400"


def asked(client, key, path="/v1/runs"):
    return client.get(path, headers=bearing(key)).status_code


def count_queries(bench, monkeypatch):
    """Keys that the database is asked for, as they are."""
    found, ask = [], ApiKeyRepository.hash_of
    monkeypatch.setattr(
        ApiKeyRepository, "hash_of", lambda self, key: found.append(key) or ask(self, key)
    )
    return found


def test_the_first_key_closes_the_door_on_loopback(fresh):
    """Until then none is needed, and a key that a client happens to have does no harm."""
    assert fresh.client.get("/v1/runs").status_code == 200
    assert asked(fresh.client, "any") == 200
    assert asked(fresh.client, str(new_token())) == 401
    key = make_key(fresh)
    assert asked(fresh.client, key) == 200
    assert fresh.client.get("/v1/runs").status_code == 401
    with fresh.database.write() as session:
        ApiKeyRepository(session).revoke(id_of(key))
    fresh.client.app.state.services.api_keys.refresh()
    assert asked(fresh.client, key) == 401
    assert fresh.client.get("/v1/runs").status_code == 401


def test_a_key_needs_no_name_of_this_machine(bench):
    """A proxy may ask under its own; no web page has a key."""
    headers = {**bearing(make_key(bench)), "Host": "fit.example", "Origin": "https://x.y"}
    assert bench.client.get("/v1/runs", headers=headers).status_code == 200
    assert bench.client.get("/health/live", headers=headers).status_code == 200


def test_the_operators_key_opens_beside_those_of_the_database(bench):
    """FITSERVE_API_KEY is of the workspace `default`, and may all."""
    key, operator = make_key(bench), "an-operators-secret"
    settings = bench.settings.model_copy(update={"api_key": SecretStr(operator)})
    with TestClient(create_app(settings)) as client:
        assert asked(client, operator, "/v1/keys") == 200
        assert asked(client, operator, "/metrics") == 200
        assert asked(client, key) == 200
        assert asked(client, operator[:-1]) == 401


def held(client, key, clock, monkeypatch):
    """Ask with the key for several times the age of a cached key, while a thread reads.

    Before each step most of the age goes by; each step lasts until the thread, whose
    reads of the keys in use are counted, has read twice.
    """
    keys, reads = client.app.state.services.api_keys._keys, []
    reread = keys._reread

    def counted(known):
        reads.append(1)
        return reread(known)

    def is_read_twice():
        assert asked(client, key, "/v2") == 200
        return len(reads) >= 2

    monkeypatch.setattr(keys, "_reread", counted)
    for _ in range(4):
        clock.now += 0.015
        reads.clear()
        until(is_read_twice)


def test_a_key_in_use_is_looked_up_once(bench, often, clock, monkeypatch):
    """A thread keeps it fresh; the requests ask nobody."""
    found = count_queries(bench, monkeypatch)
    key = make_key(bench)
    with TestClient(create_app(bench.settings), base_url="http://localhost") as client:
        assert asked(client, key) == 200
        held(client, key, clock, monkeypatch)
    assert len(found) == 1


def test_a_revoked_key_is_out_in_every_process(bench, monkeypatch):
    """Here at once, elsewhere when that process has read the keys again."""
    monkeypatch.setattr(api_key_cache, "_MAX_AGE", 3600.0)
    key, admin = make_key(bench), make_key(bench, scopes=["admin"])
    with TestClient(create_app(bench.settings), base_url="http://localhost") as other:
        assert asked(bench.client, key) == asked(other, key) == 200
        gone = bench.client.delete(f"/v1/keys/{id_of(key)}", headers=bearing(admin))
        assert gone.status_code == 204
        assert asked(bench.client, key) == 401
        assert asked(other, key) == 200
        other.app.state.services.api_keys.refresh()
        assert asked(other, key) == 401


def test_a_key_ends_when_it_expires_though_it_is_in_use(bench, clock, monkeypatch):
    """The cache knows the moment, and reading the key again does not move it."""
    monkeypatch.setattr(api_key_cache, "_MAX_AGE", 3600.0)
    key = make_key(bench, expires_in_days=600 / 86_400)
    with TestClient(create_app(bench.settings), base_url="http://localhost") as client:
        assert asked(client, key) == 200
        client.app.state.services.api_keys.refresh()
        clock.now += 500.0
        assert asked(client, key) == 200
        with bench.database.write() as session:  # the time of the database passes too
            past = {"expires_at": utc_now() - timedelta(seconds=1)}
            session.execute(update(ApiKey).where(ApiKey.id == id_of(key)).values(past))
        assert asked(client, key) == 200
        clock.now += 200.0
        answer = client.get("/v1/runs", headers=bearing(key))
        assert "expired" in assert_problem(answer, 401, "unauthorized")["detail"]


def test_who_guesses_keys_is_not_heard_for_long(strict, monkeypatch):
    """The database is asked three times; a key that is known stays welcome."""
    found = count_queries(strict, monkeypatch)
    key = make_key(strict)
    assert asked(strict.client, key) == 200
    wrong = str(new_token())
    for _ in range(5):  # costs one question
        assert asked(strict.client, wrong) == 401
    guesses = [asked(strict.client, str(new_token())) for _ in range(10)]
    assert guesses == [401, 401] + [429] * 8
    assert len(found) == 4
    for text in ("nonsense", str(new_token())[:-1]):
        assert asked(strict.client, text) == 401
    answer = strict.client.get("/v1/runs", headers=bearing(str(new_token())))
    assert_problem(answer, 429, "too-many-requests")
    assert int(answer.headers["retry-after"]) >= 1
    assert asked(strict.client, key) == 200
    assert len(found) == 4


def test_a_key_asks_no_faster_than_it_may(bench):
    """A second's worth at once, then 429 with the time to wait; others are unhurt."""
    slow = make_key(bench, limits={"requests_per_second": 0.05})
    free = make_key(bench)
    assert asked(bench.client, slow) == 200
    answer = bench.client.get("/v1/runs", headers=bearing(slow))
    assert_problem(answer, 429, "too-many-requests")
    assert 10 <= int(answer.headers["retry-after"]) <= 20
    assert {asked(bench.client, free) for _ in range(20)} == {200}


def test_a_key_queues_no_more_than_it_may(bench):
    """Its own limit over its workspace's runs; another workspace has its own count."""
    spec = {"dataset": "t", "target": "y"}
    table = "x,y\n" + "".join(f"{i},{2 * i}\n" for i in range(30))

    def queue(key):
        headers = bearing(key)
        params = {"name": "t"}
        uploaded = bench.client.post(
            "/v1/datasets", params=params, content=table, headers=headers
        )
        assert uploaded.status_code == 201
        return bench.client.post("/v1/runs", json=spec, headers=headers)

    key, more = (
        make_key(bench, workspace="queue", limits={"queued_runs": most})
        for most in (2, 3)
    )
    assert [queue(key).status_code for _ in range(2)] == [202, 202]
    assert_problem(queue(key), 429, "too-many-runs")
    assert queue(more).status_code == 202
    assert_problem(queue(more), 429, "too-many-runs")
    assert queue(make_key(bench, workspace="other")).status_code == 202


def test_a_key_stores_no_more_than_it_may(bench):
    """Cut while it comes; what there is stays, and room that is made can be used."""
    key = make_key(bench, workspace="store", limits={"stored_bytes": 1000})
    files = bench.settings.files_dir / "datasets"

    def upload(name, num_rows):
        body = "x,y\n" + "11,22\n" * num_rows
        return bench.client.post(
            "/v1/datasets", params={"name": name}, content=body, headers=bearing(key)
        )

    assert upload("a", 100).status_code == 201
    before = sorted(files.rglob("*"))
    for num_rows in (100, 100_000):
        answer = upload("b", num_rows)
        assert "1,000 bytes" in assert_problem(answer, 409, "quota-exceeded")["detail"]
    assert sorted(files.rglob("*")) == before
    assert upload("c", 60).status_code == 201
    deleted = bench.client.delete("/v1/datasets/a", headers=bearing(key))
    assert deleted.status_code == 204
    assert upload("d", 90).status_code == 201


def test_when_a_key_was_used_is_noted_without_a_write_a_request(bench):
    """By the thread, and at the end."""
    key = make_key(bench)
    app = create_app(bench.settings)
    with TestClient(app, base_url="http://localhost") as client:
        assert asked(client, key) == 200
        app.state.services.api_keys.refresh()
        with bench.database.read() as session:
            assert session.get_one(ApiKey, id_of(key)).last_used_at is None
    with bench.database.read() as session:
        assert session.get_one(ApiKey, id_of(key)).last_used_at is not None


@pytest.mark.skipif(IS_SCALE_OUT, reason="hides a database that is a file")
def test_known_keys_hold_while_the_database_is_away(often, fresh, clock, monkeypatch):
    """Predictions go on through its restart; an unknown key is told to come again."""
    key, other = make_key(fresh), make_key(fresh)
    assert asked(fresh.client, key, "/v2") == 200
    path = fresh.settings.home_dir / "fitserve.db"
    hidden = path.rename(path.with_suffix(".away"))
    path.mkdir()
    fresh.client.app.state.services.database.engine.dispose()
    try:
        held(fresh.client, key, clock, monkeypatch)
        assert asked(fresh.client, other, "/v2") == 503
    finally:
        path.rmdir()
        hidden.rename(path)


def test_no_secret_is_logged(bench, caplog):
    """Whatever is done with a key."""
    with caplog.at_level(logging.DEBUG):
        key, admin = make_key(bench), make_key(bench)
        made = bench.client.post(
            "/v1/keys", json={"name": "k"}, headers=bearing(admin)
        ).json()["key"]
        for text in (key, made, str(new_token()), made[:-1]):
            asked(bench.client, text)
            asked(bench.client, text, f"/v1/runs/{text}")
        bench.client.get("/v1/runs", headers={"Authorization": made})
    secrets = [key.split("_")[2], made.split("_")[2], admin.split("_")[2]]
    told = [record.getMessage() for record in caplog.records if record.name != "httpx2"]
    assert not [line for line in told for secret in secrets if secret in line]
    stored = b"".join(p.read_bytes() for p in bench.settings.home_dir.rglob("*.db*"))
    assert not [secret for secret in secrets if secret.encode() in stored]
