"""Idempotency-Key on every route that creates something."""

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
    pytest.param("/v1/datasets/table/rows", {"content": CSV}, {"content": gzip.compress(CSV.encode())}, {"content": CSV + "1,2\n"}, id="append"),
    pytest.param("/v1/files", {"files": FILE}, {"files": FILE}, {"files": {**FILE, "name": (None, "b")}}, id="file"),
    pytest.param("/v1/fine_tuning/jobs", {"json": JOB}, {"json": JOB}, {"json": {**JOB, "seed": 1}}, id="job"),
]  # fmt: skip


@pytest.fixture
def post(upload, client):
    """Return a function that posts with a key; the dataset `table` exists."""
    upload(CSV)

    def post(path, key="k1", using=client, **body):
        return using.post(path, headers={HEADER: key}, **body)

    return post


def count(client):
    """Return the numbers of runs and datasets."""
    pages = [client.get(f"/v1/{noun}?limit=1000") for noun in ("runs", "datasets")]
    return [len(page.json()["items"]) for page in pages]


def parts_of(answer):
    return answer.status_code, answer.content, answer.headers.get("location")


@pytest.mark.parametrize(("path", "body", "again", "other"), ROUTES)
def test_a_repeated_request_has_the_same_answer(
    post, client, settings, path, body, again, other
):
    """Another process gives the same answer, and another request with the key is refused."""
    first = post(path, **body)
    assert first.is_success, first.text
    assert "idempotent-replayed" not in first.headers
    made = count(client)
    second = post(path, **again)
    with TestClient(create_app(settings), base_url="http://localhost") as another:
        third = post(path, using=another, **body)
    assert parts_of(second) == parts_of(third) == parts_of(first)
    assert second.headers["idempotent-replayed"] == "true"
    refused = post(path, **other)
    assert refused.status_code in (400, 422)
    assert "Idempotency-Key was used for a different request" in refused.text
    assert count(client) == made
    assert post(path, key="k2", **body).is_success
    assert count(client) != made


def test_the_same_body_on_another_route_is_another_request(post):
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
    """The corrected request may use the same key."""
    assert post(path, **wrong).is_client_error
    answer = post(path, **right)
    assert answer.is_success, answer.text
    assert "idempotent-replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "a b", "k" * 256, "caf\xe9".encode("latin-1"), "\t"])
@pytest.mark.parametrize("path", ["/v1/runs", "/v1/datasets"])
def test_an_invalid_key_is_refused(post, path, key):
    """The key is checked before the body."""
    assert_problem(post(path, key=key, content=b"{"), 400, "bad-idempotency-key")


def test_two_keys_are_refused(client):
    headers = [(HEADER, "a"), (HEADER, "b")]
    answer = client.post("/v1/runs", json=SPEC, headers=headers)
    assert "2 keys" in assert_problem(answer, 400, "bad-idempotency-key")["detail"]


def test_the_longest_key_is_accepted(post):
    """It has 255 characters, among them the first and the last visible one."""
    assert post("/v1/runs", key="!~" * 127 + "k", json=SPEC).status_code == 202


def test_a_duplicate_in_flight_gets_409_with_retry_after(post, client, monkeypatch):
    """A later duplicate gets the first request's answer."""
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
    duplicate = post("/v1/runs", json=SPEC)
    assert_problem(duplicate, 409, "request-in-flight")
    assert duplicate.headers["retry-after"] == "1"
    may_go.set()
    thread.join()
    assert parts_of(post("/v1/runs", json=SPEC)) == parts_of(answers[0])


def test_an_upload_with_a_lost_answer_is_not_repeated(post, client, monkeypatch):
    """After the failure, which follows the commit, the next request uses that dataset."""
    with monkeypatch.context() as patched:
        patched.setattr("service.upload_flow.read_or_refused", _break)
        with pytest.raises(ZeroDivisionError):
            post("/v1/datasets?name=a", content=CSV)
    made = count(client)
    answer = post("/v1/datasets?name=a", content=CSV)
    assert answer.status_code == 201
    assert count(client) == made


def test_a_run_with_its_table_creates_the_table_once(post, client, monkeypatch):
    """A failure between the dataset and the run leaves one of each after the repetition."""
    before = count(client)
    with monkeypatch.context() as patched:
        patched.setattr("service.upload_flow.wait_until_read", _break)
        with pytest.raises(ZeroDivisionError):
            post("/v1/runs", files=PARTS)
    assert post("/v1/runs", files=PARTS).status_code == 202
    assert count(client) == [before[0] + 1, before[1] + 1]


def test_a_broker_failure_after_the_commit_changes_nothing(post, client, monkeypatch):
    """The run and its answer are stored, although the first request failed."""
    with monkeypatch.context() as patched:
        patched.setattr(Queue, "send", _break)
        with pytest.raises(ZeroDivisionError):
            post("/v1/runs", json=SPEC)
    answer = post("/v1/runs", json=SPEC)
    assert (answer.status_code, count(client)[0]) == (202, 1)


def _break(*_):
    raise ZeroDivisionError
