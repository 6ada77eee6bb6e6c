"""The key `webhook` of a run."""

import json
import time

import pytest
from standardwebhooks import Webhook as Verifier
from starlette.testclient import TestClient

from service.app import create_app
from tests.core.webhooks.receiver import receiving
from tests.core.webhooks.rows import LOCAL, SECRET
from tests.problems import assert_problem

CSV = "x,y\n" + "".join(f"{i},{3 * i + 1}\n" for i in range(40))
SPEC = {"dataset": "table", "target": "y"}


@pytest.fixture
def table(upload):
    return upload(CSV)


@pytest.fixture
def local(settings, table):
    """Provide an API that may send webhooks to loopback."""
    patient = {"poll_seconds": 0.05, "timeout_seconds": 60.0}
    webhooks = LOCAL.model_copy(update=patient)
    app = create_app(settings.model_copy(update={"webhooks": webhooks}))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("form", ["json", "multipart"])
def test_the_end_of_a_run_sends_a_webhook(local, form):
    """A thread sends it, and its status can be read."""
    with receiving() as receiver:
        spec = {**SPEC, "webhook": {"url": receiver.url, "secret": SECRET}}
        parts = {"spec": (None, json.dumps(spec)), "file": ("table.csv", CSV)}
        body = {"json": spec} if form == "json" else {"files": parts}
        run = local.post("/v1/runs", **body).json()
        before = local.get(f"/v1/runs/{run['id']}/webhook").json()
        assert (before["status"], before["attempts"]) == ("waiting", 0)
        local.post(f"/v1/runs/{run['id']}/cancel")
        path = f"/v1/runs/{run['id']}/webhook"
        wait_for(local, path, "delivered")
        after = local.get(path).json()
        headers, sent = receiver.requests[0]
        assert Verifier(SECRET).verify(sent, headers)["data"]["status"] == "cancelled"
        assert (after["url"], after["attempts"]) == (receiver.url, 1)


def test_the_secret_is_never_shown_again(local):
    """Neither the run, the list, `validate` nor the webhook shows it."""
    with receiving() as receiver:
        spec = {**SPEC, "webhook": {"url": receiver.url, "secret": SECRET}}
        answer = local.post("/v1/runs", json=spec)
        path = answer.headers["location"]
        pages = [
            answer,
            *(local.get(url) for url in (path, f"{path}/webhook", "/v1/runs")),
        ]
        pages.append(local.post("/v1/runs/validate", json=spec))
        for page in pages:
            assert page.is_success
            assert SECRET not in page.text
        assert "webhook" not in answer.json()["spec"]


def test_a_missing_webhook_is_404(client, table):
    run_id = client.post("/v1/runs", json=SPEC).json()["id"]
    assert_problem(client.get(f"/v1/runs/{run_id}/webhook"), 404, "webhook-not-found")
    assert_problem(client.get("/v1/runs/nope/webhook"), 404, "run-not-found")


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://127.0.0.1/", "https://a:b@example.com/"]
)
def test_a_forbidden_url_is_refused_with_the_run(client, table, url):
    """Nothing is queued, and `validate` refuses it too."""
    spec = {**SPEC, "webhook": {"url": url}}
    for path in ("/v1/runs", "/v1/runs/validate"):
        problem = assert_problem(client.post(path, json=spec), 422, "invalid-spec")
        assert problem["errors"][0]["pointer"] == "#/webhook/url"
    assert client.get("/v1/runs").json()["items"] == []


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://localhost:9000/hook"])
def test_a_url_of_this_machine_is_refused_with_the_setting_that_allows_it(
    client, table, url
):
    """Other refusals have no such hint."""
    spec = {**SPEC, "webhook": {"url": url}}
    (line,) = client.post("/v1/runs", json=spec).json()["errors"]
    assert "FITSERVE_WEBHOOKS__ALLOW_LOOPBACK=true" in line["hint"]
    spec["webhook"]["url"] = "https://10.0.0.1/"
    (line,) = client.post("/v1/runs", json=spec).json()["errors"]
    assert "hint" not in line


@pytest.mark.parametrize(
    "secret",
    ["hush-hush-hush", "whsec_c2hvcnQ=", "whsec_" + "A" * 120, "whsec_!!" + "A" * 40],
)
def test_a_weak_secret_is_refused_and_not_repeated(client, table, secret):
    """The problem does not contain the secret."""
    spec = {**SPEC, "webhook": {"url": "https://example.com/", "secret": secret}}
    answer = client.post("/v1/runs", json=spec)
    problem = assert_problem(answer, 422, "invalid-body")
    assert problem["errors"][0]["pointer"] == "#/webhook/secret"
    assert problem["errors"][0]["detail"].endswith("24 to 64 bytes in base64")
    assert secret not in answer.text


def test_a_webhook_is_created_listed_sent_again_and_deleted(local):
    """A second message has the id of the first; no answer contains the secret."""
    with receiving() as receiver:
        run_id = local.post("/v1/runs", json=SPEC).json()["id"]
        path = f"/v1/runs/{run_id}/webhook"
        body = {"url": receiver.url, "secret": SECRET}
        answers = [local.put(path, json=body)]
        assert_problem(local.post(f"{path}/retry"), 409, "webhook-busy")
        local.post(f"/v1/runs/{run_id}/cancel")
        wait_for(local, path, "delivered")
        problem = assert_problem(local.post(f"{path}/retry"), 422, "invalid-spec")
        assert problem["errors"][0]["pointer"] == "#/secret"
        answers.append(local.post(f"{path}/retry", json={"secret": SECRET}))
        wait_for(local, path, "delivered")
        assert receiver.ids == [f"{run_id}_ended"] * 2
        answers.append(local.get("/v1/webhooks?status=delivered"))
        assert [one["run_id"] for one in answers[-1].json()["items"]] == [run_id]
        for answer in answers:
            assert answer.is_success
            assert SECRET not in answer.text
        assert local.delete(path).status_code == 204
        assert_problem(local.delete(path), 404, "webhook-not-found")
        assert local.get("/v1/webhooks").json() == {"items": [], "next_cursor": None}


def wait_for(client, path, status):
    deadline = time.monotonic() + 10
    while (read := client.get(path).json())["status"] != status:
        assert time.monotonic() < deadline, read
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("path", "body", "slug", "pointer"),
    [
        ("webhook", {"url": "http://example.com/"}, "invalid-spec", "#/url"),
        ("webhook", {"uri": "https://example.com/"}, "invalid-body", "#/uri"),
        ("webhook/retry", {"secret": "hush"}, "invalid-body", "#/secret"),
        ("webhook/retry", {"secrets": None}, "invalid-body", "#/secrets"),
        ("webhook/retry", {"secret": 70000001}, "invalid-body", "#/secret"),
        ("webhook/retry", {"whsec_hush": 1}, "invalid-body", "#/whsec_…"),
    ],
)
def test_a_bad_body_is_refused(client, table, path, body, slug, pointer):
    """The error names the key, and does not repeat a secret."""
    run_id = client.post("/v1/runs", json=SPEC).json()["id"]
    method = "POST" if path.endswith("retry") else "PUT"
    answer = client.request(method, f"/v1/runs/{run_id}/{path}", json=body)
    problem = assert_problem(answer, 422, slug)
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert not any(secret in answer.text for secret in ("hush", "70000001"))


def test_a_bad_status_is_refused(client):
    """The error lists the statuses of webhooks."""
    answer = client.get("/v1/webhooks?status=lost")
    assert "delivered" in assert_problem(answer, 422, "invalid-body")["detail"]
