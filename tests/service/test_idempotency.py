"""Idempotency-Key on every route that creates."""

import gzip
import threading

import pytest
from starlette.testclient import TestClient

from core.queue import Queue
from service.app import create_app
from service.idempotency import HEADER
from tests.problems import assert_problem

CSV = "x,y\n" + "".join(f"{i},{3 * i + 1}\n" for i in range(40))
SPEC = {"dataset": "table", "target": "y", "fit": {"epochs": 2}}
SPEC_AGAIN = b'{"fit":{"epochs":2}, "target":"y",\n "dataset":"table"}'
PARTS = {"spec": (None, '{"target": "y"}'), "file": ("t.csv", CSV)}
FILE = {"purpose": (None, "fine-tune"), "file": ("t.csv", CSV)}
JOB = {"model": "m", "training_file": "table", "metadata": {"target": "y"}}
OTHER = {"file": ("t.csv", CSV + "1,2\n")}

ROUTES = [
    pytest.param("/v1/runs", {"json": SPEC}, {"content": SPEC_AGAIN}, {"json": {**SPEC, "tags": {"a": "b"}}}, id="run"),
    pytest.param("/v1/runs", {"files": PARTS}, {"files": dict(reversed(PARTS.items()))}, {"files": {**PARTS, **OTHER}}, id="run-and-file"),
    pytest.param("/v1/datasets?name=a", {"content": CSV}, {"content": gzip.compress(CSV.encode())}, {"content": CSV + "1,2\n"}, id="dataset"),
    pytest.param("/v1/datasets", {"files": {"file": ("t.csv", CSV)}}, {"files": {"file": ("t.csv", CSV)}}, {"files": {"file": ("u.csv", CSV)}}, id="dataset-form"),
    pytest.param("/v1/files", {"files": FILE}, {"files": FILE}, {"files": {**FILE, "name": (None, "b")}}, id="file"),
    pytest.param("/v1/fine_tuning/jobs", {"json": JOB}, {"json": JOB}, {"json": {**JOB, "seed": 1}}, id="job"),
]  # fmt: skip


@pytest.fixture
def post(upload, client):
    """Posts with a key; the dataset `table` is there."""
    upload(CSV)

    def post(path, key="k1", using=client, **body):
        return using.post(path, headers={HEADER: key}, **body)

    return post


def count(client):
    """How many runs and datasets there are."""
    pages = [client.get(f"/v1/{noun}?limit=1000") for noun in ("runs", "datasets")]
    return [len(page.json()["items"]) for page in pages]


def seen(answer):
    return answer.status_code, answer.content, answer.headers.get("location")


@pytest.mark.parametrize(("path", "body", "again", "other"), ROUTES)
def test_the_same_again_is_answered_the_same(
    post, client, settings, path, body, again, other
):
    """Status, body and Location, also by another process; another request is refused."""
    first = post(path, **body)
    assert first.is_success, first.text
    assert "idempotent-replayed" not in first.headers
    made = count(client)
    second = post(path, **again)
    with TestClient(create_app(settings), base_url="http://localhost") as another:
        third = post(path, using=another, **body)
    assert seen(second) == seen(third) == seen(first)
    assert second.headers["idempotent-replayed"] == "true"
    refused = post(path, **other)
    assert refused.status_code in (400, 422)
    assert "Idempotency-Key was used for a different request" in refused.text
    assert count(client) == made
    assert post(path, key="k2", **body).is_success
    assert count(client) != made


def test_the_same_body_on_another_route_is_another_request(post):
    """A key belongs to one request."""
    post("/v1/datasets", files=FILE)
    answer = post("/v1/files", files=FILE)
    assert answer.json()["error"]["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        ("/v1/runs", {"json": {**SPEC, "target": "z"}}, {"json": SPEC}),
        ("/v1/runs", {"json": {**SPEC, "colour": 1}}, {"json": SPEC}),
        ("/v1/runs", {"files": {**PARTS, "file": ("t.csv", "")}}, {"files": PARTS}),
        ("/v1/datasets?name=a", {"content": "a,a\n1"}, {"content": CSV}),
        ("/v1/fine_tuning/jobs", {"json": {**JOB, "training_file": "no"}}, {"json": JOB}),
    ],
)
def test_a_refused_request_leaves_its_key_free(post, path, wrong, right):
    """Mend it and send it under the same key."""
    assert post(path, **wrong).is_client_error
    answer = post(path, **right)
    assert answer.is_success, answer.text
    assert "idempotent-replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "a b", "k" * 256, "caf\xe9".encode("latin-1"), "\t"])
@pytest.mark.parametrize("path", ["/v1/runs", "/v1/datasets"])
def test_what_can_be_no_key_is_refused(post, path, key):
    """Before the body is looked at."""
    assert_problem(post(path, key=key, content=b"{"), 400, "bad-idempotency-key")


def test_two_keys_are_one_too_many(client):
    """As are none in a header that is there."""
    headers = [(HEADER, "a"), (HEADER, "b")]
    answer = client.post("/v1/runs", json=SPEC, headers=headers)
    assert "2 keys" in assert_problem(answer, 400, "bad-idempotency-key")["detail"]


def test_the_longest_key_is_taken(post):
    """255 of them, the first and the last visible character among them."""
    assert post("/v1/runs", key="!~" * 127 + "k", json=SPEC).status_code == 202


def test_a_twin_in_flight_is_told_when_to_come_again(post, client, monkeypatch):
    """409 with Retry-After; then the first one's answer."""
    services = client.app.state.services
    is_inside, may_go = threading.Event(), threading.Event()
    resolve = type(services.runs).resolve

    def slowly(*args):
        is_inside.set()
        may_go.wait(10)
        return resolve(*args)

    monkeypatch.setattr(type(services.runs), "resolve", slowly)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(post("/v1/runs", json=SPEC)))
    thread.start()
    is_inside.wait(10)
    twin = post("/v1/runs", json=SPEC)
    assert_problem(twin, 409, "request-in-flight")
    assert twin.headers["retry-after"] == "1"
    may_go.set()
    thread.join()
    assert seen(post("/v1/runs", json=SPEC)) == seen(answers[0])


def test_an_upload_whose_answer_was_lost_is_not_made_twice(post, client, monkeypatch):
    """The service breaks behind the commit; the next one goes on with that dataset."""
    with monkeypatch.context() as patched:
        patched.setattr("service.upload_flow.read_or_refused", _break)
        with pytest.raises(ZeroDivisionError):
            post("/v1/datasets?name=a", content=CSV)
    made = count(client)
    answer = post("/v1/datasets?name=a", content=CSV)
    assert answer.status_code == 201
    assert count(client) == made


def test_a_run_with_its_table_makes_the_table_once(post, client, monkeypatch):
    """Broken between dataset and run, and sent again: one of each."""
    before = count(client)
    with monkeypatch.context() as patched:
        patched.setattr("service.upload_flow.wait_until_read", _break)
        with pytest.raises(ZeroDivisionError):
            post("/v1/runs", files=PARTS)
    assert post("/v1/runs", files=PARTS).status_code == 202
    assert count(client) == [before[0] + 1, before[1] + 1]


def test_a_broken_bell_behind_the_commit_changes_nothing(post, client, monkeypatch):
    """The run is there and so is its answer, though the first request saw a failure."""
    with monkeypatch.context() as patched:
        patched.setattr(Queue, "send", _break)
        with pytest.raises(ZeroDivisionError):
            post("/v1/runs", json=SPEC)
    answer = post("/v1/runs", json=SPEC)
    assert (answer.status_code, count(client)[0]) == (202, 1)


def _break(*_):
    raise ZeroDivisionError
