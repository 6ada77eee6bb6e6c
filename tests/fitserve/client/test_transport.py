"""Test URL, key, retries, and errors as exceptions."""

import socket
import subprocess
import sys

import pytest

import fitserve
from fitserve import Client, ConnectionFailed, ServerError, UnexpectedAnswer
from fitserve.client import transport
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(transport, "BRIEFLY", (0.0, 0.0))
    monkeypatch.setattr(transport, "LONG", (0.0, 0.0))


def test_url_and_key_come_from_the_environment(wire, monkeypatch):
    """A line break after the key is ignored."""
    wire.answers("GET /v1/runs/run_1", bodies.run())
    monkeypatch.setenv("FITSERVE_URL", wire.url)
    monkeypatch.setenv("FITSERVE_API_KEY", "from-env\n")
    with Client() as client:
        client.runs.get("run_1")
    with Client(api_key="given") as client:
        client.runs.get("run_1")
    assert [asked.headers["authorization"] for asked in wire.asked] == [
        "Bearer from-env",
        "Bearer given",
    ]


def test_without_a_key_no_header_is_sent(wire, client, monkeypatch):
    """The default URL is local."""
    wire.answers("GET /v1/runs/run_1", bodies.run())
    client.runs.get("run_1")
    assert "authorization" not in wire.asked[0].headers
    monkeypatch.delenv("FITSERVE_URL", raising=False)
    assert Client().base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (413, "TooLarge"),
        (418, "ApiError"),
        (422, "Unprocessable"),
        (429, "TooManyRequests"),
        (500, "ServerError"),
        (507, "ServerError"),
    ],
)
def test_every_status_has_an_exception(wire, status, name):
    """The exception has the problem."""
    wire.answers("GET /v1/datasets/wine", problem(status, "some-slug", "No."))
    with (
        Client(wire.url, retry_seconds=0) as client,
        pytest.raises(fitserve.ApiError) as caught,
    ):
        client.datasets.get("wine")
    assert type(caught.value) is getattr(fitserve, name)
    assert caught.value.problem.type == "/problems/some-slug"


def test_an_error_has_every_line_of_the_problem(wire, client):
    """The text has the detail, then pointer, detail and hint of each field."""
    lines = (
        {"pointer": "#/fit/epochs", "detail": "got 0", "hint": "at least 1"},
        {"pointer": "#/target", "detail": "this key is required and is absent"},
    )
    wire.answers("POST /v1/runs", problem(422, "invalid-spec", "Two faults.", lines))
    with pytest.raises(fitserve.Unprocessable) as caught:
        client.runs.create({})
    assert str(caught.value) == (
        "Two faults.\n"
        "  #/fit/epochs: got 0 (at least 1)\n"
        "  #/target: this key is required and is absent"
    )


def test_an_error_without_a_problem_is_an_api_error(wire, client):
    """The body is the HTML page of a proxy."""
    wire.answers("GET /v1/datasets/wine", Answer(b"<h1>Not here</h1>", 404, "text/html"))
    with pytest.raises(fitserve.NotFound, match="404 Not Found: <h1>Not here"):
        client.datasets.get("wine")


def test_an_unexpected_answer_names_the_field(wire, client):
    """The server is not fitserve, or is an incompatible version."""
    wire.answers("GET /v1/datasets/wine", {"hello": "world"})
    with pytest.raises(UnexpectedAnswer, match=r"not fitserve.*DatasetRead\.id"):
        client.datasets.get("wine")


@pytest.mark.parametrize("fault", [Answer(status=503), Answer(b"{", is_cut=True)])
def test_a_get_is_retried_after_a_temporary_fault(wire, client, fault):
    """The first two requests fail with 503 or a broken connection."""
    wire.answers("GET /v1/runs/run_1", fault, fault, bodies.run())
    assert client.runs.get("run_1").id == "run_1"
    assert len(wire.asked) == 3


IN_FLIGHT = problem(409, "request-in-flight", "Come again.")


@pytest.mark.parametrize(
    "fault", [Answer(status=503), Answer(b"{", is_cut=True), IN_FLIGHT]
)
def test_an_idempotent_post_is_retried(wire, client, fault, tmp_path):
    """The retry has the same body and key; the next request has another key."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    wire.answers("POST /v1/runs", fault, fault, Answer(bodies.run(), 202))
    wire.answers("POST /v1/datasets", fault, fault, Answer(bodies.dataset(), 201))
    for asked in (
        lambda: client.runs.create({"dataset": "wine", "target": "quality"}),
        lambda: client.datasets.upload(tmp_path / "t.csv"),
    ):
        wire.asked.clear()
        asked()
        assert len(wire.asked) == 3
        assert (
            len({(one.headers["idempotency-key"], one.body) for one in wire.asked}) == 1
        )
    key = wire.asked[0].headers["idempotency-key"]
    client.runs.create({"dataset": "wine", "target": "quality"})
    assert wire.asked[-1].headers["idempotency-key"] != key


@pytest.mark.parametrize(
    "fault",
    [problem(409, "dataset-not-ready", "No."), problem(422, "invalid-spec", "No.")],
)
def test_a_refusal_is_not_retried(wire, client, fault):
    wire.answers("POST /v1/runs", fault, bodies.run())
    with pytest.raises(fitserve.ApiError, match="No"):
        client.runs.create({"dataset": "wine", "target": "quality"})
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [(Answer(status=503), ServerError), (Answer(b"{", is_cut=True), ConnectionFailed)],
)
def test_a_delete_is_sent_once(wire, client, fault, error):
    """If the first DELETE had succeeded, a second one would get 404."""
    wire.answers("DELETE /v1/datasets/wine", fault, Answer(status=204))
    with pytest.raises(error):
        client.datasets.delete("wine")
    assert len(wire.asked) == 1


def test_repeatable_requests_are_retried(wire, client):
    """The requests are cancel, predict and setting an alias."""
    fault, body = Answer(status=503), {"model_name": "w", "model_version": 1}
    wire.answers("POST /v1/runs/run_1/cancel", fault, bodies.run())
    wire.answers("POST /v1/predict", fault, {**body, "predictions": [1.0]})
    wire.answers("PUT /v1/models/w/aliases/live", fault, bodies.version())
    client.runs.cancel("run_1")
    client.predict("w", [[1.0]])
    client.models.set_alias("w", "live", 1)
    assert len(wire.asked) == 6


def test_retries_of_a_get_are_limited(wire, client):
    """The last error is raised."""
    wire.answers("GET /v1/runs/run_1", Answer(b"busy", 503))
    with pytest.raises(ServerError, match="busy"):
        client.runs.get("run_1")


@pytest.mark.parametrize("url", ["nowhere", "http://[::1", "ftp://127.0.0.1"])
def test_an_invalid_url_is_refused(url):
    """No exception of httpx reaches the caller."""
    with pytest.raises(ConnectionFailed, match="FITSERVE_URL"):
        Client(url).runs.get("run_1")


def test_a_closed_port_names_the_command_to_start_the_service():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ConnectionFailed, match="Start one with `fitserve up`"):
        Client(url).models.get("wine")


def test_importing_fitserve_imports_no_http(tmp_path):
    """Names are imported on first use."""
    code = (
        "import sys, fitserve; print('httpx' in sys.modules); fitserve.Client; "
        "print('httpx' in sys.modules, all(hasattr(fitserve, n) for n in fitserve.__all__))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True", "True"]
