"""Authentication by keys: validity, expiry, and limits of requests."""

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
    """Provide a shared service that has had a key from the start."""
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
    """Replace the clock by which cached keys age."""
    clock = Clock(time.monotonic())
    monkeypatch.setattr(refresh_ahead_cache, "time", clock)
    return clock


@pytest.fixture
def often(monkeypatch):
    """Let new applications read the keys in use every 10 ms."""
    monkeypatch.setattr(api_key_cache, "_MAX_AGE", 0.02)


@pytest.fixture
def fresh(tmp_path, broker_url):
    with bench_in(tmp_path / "home", broker_url) as bench:
        yield bench


def test_a_tiny_rate_waits_for_at_most_a_day(strict):
    """The exact wait is too large for a header."""
    key = make_key(strict, limits={"requests_per_second": 5e-324})
    assert status_of(strict.client, key) == 200
    refused = strict.client.get("/v1/runs", headers=bearing(key))
    assert_problem(refused, 429, "too-many-requests")
    assert refused.headers["retry-after"] == "86400"


def status_of(client, key, path="/v1/runs"):
    return client.get(path, headers=bearing(key)).status_code


def count_queries(bench, monkeypatch):
    """Record the keys that are read from the database."""
    found, ask = [], ApiKeyRepository.hash_of
    monkeypatch.setattr(
        ApiKeyRepository, "hash_of", lambda self, key: found.append(key) or ask(self, key)
    )
    return found


def test_the_first_key_makes_a_key_required_on_loopback(fresh):
    """Before a key exists, no key is required, and a token in another format is ignored."""
    assert fresh.client.get("/v1/runs").status_code == 200
    assert status_of(fresh.client, "any") == 200
    assert status_of(fresh.client, str(new_token())) == 401
    key = make_key(fresh)
    assert status_of(fresh.client, key) == 200
    assert fresh.client.get("/v1/runs").status_code == 401
    with fresh.database.write() as session:
        ApiKeyRepository(session).revoke(id_of(key))
    fresh.client.app.state.services.api_keys.refresh()
    assert status_of(fresh.client, key) == 401
    assert fresh.client.get("/v1/runs").status_code == 401


def test_a_request_with_a_key_may_have_any_host_and_origin(bench):
    """A proxy may use another host name, and foreign web pages have no key."""
    headers = {**bearing(make_key(bench)), "Host": "fit.example", "Origin": "https://x.y"}
    assert bench.client.get("/v1/runs", headers=headers).status_code == 200
    assert bench.client.get("/health/live", headers=headers).status_code == 200


def test_the_operators_key_is_valid_as_well_as_stored_keys(bench):
    """FITSERVE_API_KEY has the workspace `default` and every scope."""
    key, operator = make_key(bench), "an-operators-secret"
    settings = bench.settings.model_copy(update={"api_key": SecretStr(operator)})
    with TestClient(create_app(settings)) as client:
        assert status_of(client, operator, "/v1/keys") == 200
        assert status_of(client, operator, "/metrics") == 200
        assert status_of(client, key) == 200
        assert status_of(client, operator[:-1]) == 401


def held(client, key, clock, monkeypatch):
    """Send requests with the key for longer than a cached key is valid without a read.

    In each step the clock advances by most of that time, and requests are sent until
    the thread has read the keys in use twice.
    """
    keys, reads = client.app.state.services.api_keys._keys, []
    reread = keys._reread

    def counted(known):
        reads.append(1)
        return reread(known)

    def is_read_twice():
        assert status_of(client, key, "/v2") == 200
        return len(reads) >= 2

    monkeypatch.setattr(keys, "_reread", counted)
    for _ in range(4):
        clock.now += 0.015
        reads.clear()
        until(is_read_twice)


def test_a_key_in_use_is_looked_up_once(bench, often, clock, monkeypatch):
    """A thread keeps the key fresh, so that requests need no query."""
    found = count_queries(bench, monkeypatch)
    key = make_key(bench)
    with TestClient(create_app(bench.settings), base_url="http://localhost") as client:
        assert status_of(client, key) == 200
        held(client, key, clock, monkeypatch)
    assert len(found) == 1


def test_a_revoked_key_is_refused_in_every_process(bench, monkeypatch):
    """Other processes refuse it after they have read the keys again."""
    monkeypatch.setattr(api_key_cache, "_MAX_AGE", 3600.0)
    key, admin = make_key(bench), make_key(bench, scopes=["admin"])
    with TestClient(create_app(bench.settings), base_url="http://localhost") as other:
        assert status_of(bench.client, key) == status_of(other, key) == 200
        gone = bench.client.delete(f"/v1/keys/{id_of(key)}", headers=bearing(admin))
        assert gone.status_code == 204
        assert status_of(bench.client, key) == 401
        assert status_of(other, key) == 200
        other.app.state.services.api_keys.refresh()
        assert status_of(other, key) == 401


def test_a_key_in_use_expires_on_time(bench, clock, monkeypatch):
    monkeypatch.setattr(api_key_cache, "_MAX_AGE", 3600.0)
    key = make_key(bench, expires_in_days=600 / 86_400)
    with TestClient(create_app(bench.settings), base_url="http://localhost") as client:
        assert status_of(client, key) == 200
        client.app.state.services.api_keys.refresh()
        clock.now += 500.0
        assert status_of(client, key) == 200
        with bench.database.write() as session:  # time also passes in the database
            past = {"expires_at": utc_now() - timedelta(seconds=1)}
            session.execute(update(ApiKey).where(ApiKey.id == id_of(key)).values(past))
        assert status_of(client, key) == 200
        clock.now += 200.0
        answer = client.get("/v1/runs", headers=bearing(key))
        assert "expired" in assert_problem(answer, 401, "unauthorized")["detail"]


def test_guessing_keys_is_limited(strict, monkeypatch):
    """Only the first guesses cause a query, and a known key still works."""
    found = count_queries(strict, monkeypatch)
    key = make_key(strict)
    assert status_of(strict.client, key) == 200
    wrong = str(new_token())
    for _ in range(5):  # one query in total
        assert status_of(strict.client, wrong) == 401
    guesses = [status_of(strict.client, str(new_token())) for _ in range(10)]
    assert guesses == [401, 401] + [429] * 8
    assert len(found) == 4
    for text in ("nonsense", str(new_token())[:-1]):
        assert status_of(strict.client, text) == 401
    answer = strict.client.get("/v1/runs", headers=bearing(str(new_token())))
    assert_problem(answer, 429, "too-many-requests")
    assert int(answer.headers["retry-after"]) >= 1
    assert status_of(strict.client, key) == 200
    assert len(found) == 4


def test_a_key_is_limited_in_requests_per_second(bench):
    """A burst of one second is allowed, then 429 with Retry-After; other keys are unaffected."""
    slow = make_key(bench, limits={"requests_per_second": 0.05})
    free = make_key(bench)
    assert status_of(bench.client, slow) == 200
    answer = bench.client.get("/v1/runs", headers=bearing(slow))
    assert_problem(answer, 429, "too-many-requests")
    assert 10 <= int(answer.headers["retry-after"]) <= 20
    assert {status_of(bench.client, free) for _ in range(20)} == {200}


def test_a_key_is_limited_in_queued_runs(bench):
    """The limit counts the runs of the key's workspace."""
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


def test_a_key_is_limited_in_stored_bytes(bench):
    """An upload above the limit is cut off, and deleting a dataset frees its bytes."""
    key = make_key(bench, workspace="store", limits={"stored_bytes": 1000})
    files = bench.files / "datasets"

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


def test_the_last_use_of_a_key_is_stored_by_a_thread(bench):
    """The thread and the shutdown write the time; no request writes it."""
    key = make_key(bench)
    app = create_app(bench.settings)
    with TestClient(app, base_url="http://localhost") as client:
        assert status_of(client, key) == 200
        app.state.services.api_keys.refresh()
        with bench.database.read() as session:
            assert session.get_one(ApiKey, id_of(key)).last_used_at is None
    with bench.database.read() as session:
        assert session.get_one(ApiKey, id_of(key)).last_used_at is not None


@pytest.mark.skipif(IS_SCALE_OUT, reason="hides a database that is a file")
def test_known_keys_are_valid_while_the_database_is_unavailable(
    often, fresh, clock, monkeypatch
):
    """A key that is not in the cache gets 503."""
    key, other = make_key(fresh), make_key(fresh)
    assert status_of(fresh.client, key, "/v2") == 200
    path = fresh.settings.home_dir / "fitserve.db"
    hidden = path.rename(path.with_suffix(".away"))
    path.mkdir()
    fresh.client.app.state.services.database.engine.dispose()
    try:
        held(fresh.client, key, clock, monkeypatch)
        assert status_of(fresh.client, other, "/v2") == 503
    finally:
        path.rmdir()
        hidden.rename(path)


def test_no_secret_is_logged(bench, caplog):
    """Neither the log nor the database contains a secret."""
    with caplog.at_level(logging.DEBUG):
        key, admin = make_key(bench), make_key(bench)
        made = bench.client.post(
            "/v1/keys", json={"name": "k"}, headers=bearing(admin)
        ).json()["key"]
        for text in (key, made, str(new_token()), made[:-1]):
            status_of(bench.client, text)
            status_of(bench.client, text, f"/v1/runs/{text}")
        bench.client.get("/v1/runs", headers={"Authorization": made})
    secrets = [key.split("_")[2], made.split("_")[2], admin.split("_")[2]]
    messages = [
        record.getMessage() for record in caplog.records if record.name != "httpx2"
    ]
    assert not [line for line in messages for secret in secrets if secret in line]
    stored = b"".join(p.read_bytes() for p in bench.settings.home_dir.rglob("*.db*"))
    assert not [secret for secret in secrets if secret.encode() in stored]
