"""Checks before routing: keys, hosts, body limits, request ids, problems."""

import asyncio
import logging

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from core.settings import Limits
from service.app import create_app
from service.auth.authenticator import Authenticator
from service.predictor.predictor import Predictor
from tests.problems import assert_problem

KEY = "a-secret-of-many-characters"


def client_with(settings, **changes):
    app = create_app(settings.model_copy(update=changes))
    return TestClient(app, base_url="http://localhost")


@pytest.fixture
def locked(settings):
    with client_with(settings, api_key=SecretStr(KEY)) as client:
        yield client


def test_without_the_key_nothing_is_served(locked):
    """A missing key, a wrong key and a wrong scheme get 401 with WWW-Authenticate."""
    for headers in (
        {},
        {"Authorization": "Bearer no"},
        {"Authorization": f"Basic {KEY}"},
    ):
        answer = locked.get("/v1/datasets", headers=headers)
        assert_problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_the_key_is_accepted_and_health_needs_none(locked):
    headers = {"Authorization": f"Bearer {KEY}"}
    assert locked.get("/v1/datasets", headers=headers).status_code == 200
    assert locked.get("/health/live").status_code == 200


def exchange(app, path, headers, message):
    """Return the messages received and sent if the client sends only `message`."""
    received, sent = [], []

    async def receive():
        received.append(message)
        return message

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(b"host", b"localhost"), *headers],
        "query_string": b"",
    }
    asyncio.run(app(scope, receive, send))
    return received, sent


def test_a_refused_upload_is_not_read(locked):
    """The 401 is sent before any byte of the body is read."""
    body = {"type": "http.request", "body": b"x", "more_body": True}
    received, sent = exchange(locked.app, "/v1/datasets", [], body)
    assert sent[0]["status"] == 401
    assert received == []


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/models/m/predict"])
def test_a_client_that_disconnects_in_its_body_is_no_error(locked, caplog, path):
    """No answer is sent, and the log has no error."""
    caplog.set_level(logging.INFO)
    headers = [(b"authorization", f"Bearer {KEY}".encode())]
    received, sent = exchange(locked.app, path, headers, {"type": "http.disconnect"})
    assert (len(received), sent) == (1, [])
    assert [r.levelname for r in caplog.records if r.name.startswith("service")] == [
        "INFO"
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:8000"},
        {"Host": "127.0.0.1", "Origin": "http://evil.example"},
        {"Host": "127.0.0.1", "Origin": "null"},
    ],
)
def test_without_a_key_only_this_machine_is_served(client, headers):
    """A rebound DNS name and a foreign web page are refused."""
    assert_problem(client.get("/v1/datasets", headers=headers), 403, "forbidden-host")


def test_a_body_over_the_limit_is_413(settings):
    """This holds with and without a Content-Length."""
    small = client_with(
        settings, limits=Limits(max_body_bytes=1000, max_upload_bytes=2000)
    )
    with small:
        with_length = small.post("/v1/runs/validate", content=b" " * 1001)
        assert_problem(with_length, 413, "too-large")
        without_length = small.post("/v1/runs/validate", content=iter([b" " * 600] * 2))
        assert_problem(without_length, 413, "too-large")
        upload = small.post(
            "/v1/datasets", params={"name": "x"}, content=iter([b"1\n" * 600] * 2)
        )
        assert_problem(upload, 413, "too-large")


def test_every_answer_has_a_request_id(client):
    """A valid id of the client is kept, and an invalid one is replaced."""
    given = client.get("/health/live", headers={"X-Request-Id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    forged = client.get("/health/live", headers={"X-Request-Id": "a b\tc"})
    assert forged.headers["x-request-id"] not in ("", "a b\tc")


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nope", 404, "http-404"),
        ("PUT", "/v1/runs", 405, "http-405"),
        ("GET", "/v1/runs?limit=0", 422, "invalid-body"),
        ("GET", "/v1/runs/nope", 404, "run-not-found"),
        ("GET", "/v1/runs/nope/history", 404, "run-not-found"),
        ("POST", "/v1/runs/nope/cancel", 404, "run-not-found"),
        ("GET", "/v1/models/nope", 404, "model-not-found"),
        ("GET", "/v1/models/nope/versions/1/weights", 404, "model-not-found"),
        ("GET", "/v1/models/nope/versions/0", 422, "invalid-body"),
        ("DELETE", "/v1/models/nope/aliases/x", 404, "model-not-found"),
        ("DELETE", "/v1/datasets/nope", 404, "dataset-not-found"),
    ],
)
def test_every_failure_is_a_problem(client, method, path, status, slug):
    assert_problem(client.request(method, path), status, slug)


def test_a_trailing_slash_redirects_to_the_same_host(client):
    """The redirect is relative, so that neither the host nor https changes."""
    answer = client.get("/v1/datasets/?limit=1", follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == "/v1/datasets?limit=1"
    assert client.get("/v1/datasets/").status_code == 200


def test_a_folder_of_files_names_its_methods(client):
    answer = client.post("/dashboard/index.html")
    assert_problem(answer, 405, "http-405")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (Authenticator, "/v1/runs"),
        (Predictor, "/v1/models/m/predict"),
    ],
)
def test_a_bug_outside_of_fastapi_is_a_problem_too(
    client, monkeypatch, caplog, place, path
):
    """The gate and the fast path run before FastAPI's handlers."""

    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(place, "peek" if place is Authenticator else "answer", fail)
    assert_problem(client.post(path, json={}), 500, "internal-error")
    assert "ZeroDivisionError" in caplog.text


def test_an_answer_about_a_bug_says_that_the_connection_ends(settings, monkeypatch):
    """The server closes the connection after an exception, so a client must not reuse it."""

    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("service.routes.comparison.compare_runs", fail)
    app = create_app(settings)
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
        answer = client.get("/v1/runs/compare?ids=a,b")
        assert (answer.status_code, answer.json()["title"]) == (500, "Internal error")
        assert answer.headers["connection"] == "close"
        assert "connection" not in client.get("/v1/runs/nope").headers
