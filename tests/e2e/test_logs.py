"""Test the logs of a service that was used with a key."""

import json

import httpx
import pytest

from fitserve import Client, FitserveError
from tests.e2e_service import ROOT, running

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
KEY = "a-secret-of-many-characters"
WRONG = "another-secret-of-characters"
DATA = ROOT / "examples" / "data" / "diabetes.csv"
MARK = "a-value-that-only-a-body-holds"


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Return log lines by process after an upload, a run, predictions and refusals."""
    home = tmp_path_factory.mktemp("logs")
    settings = {
        "FITSERVE_API_KEY": KEY,
        "FITSERVE_LOG_FORMAT": "json",
        "FITSERVE_ACCESS_LOG": "true",
    }
    with running(home, **settings) as (url, _), Client(url, api_key=KEY) as client:
        client.datasets.upload(DATA)
        large = home / "large.csv"  # for the reader
        large.write_text("a,y\n" + "0.123456,0.654321\n" * 500_000)
        client.datasets.upload(large)
        spec = {"dataset": "diabetes", "target": "progression", "model_name": "m"}
        run = client.runs.create(spec, fit={"epochs": 2, "seed": 1}, tags={"of": MARK})
        assert client.runs.wait(run.id).status == "succeeded"
        with pytest.raises(FitserveError):
            client.predict("m", [{"age": MARK}])
        refused = httpx.get(
            f"{url}/v1/runs", headers={"Authorization": f"Bearer {WRONG}"}
        )
        assert refused.status_code == 401
        httpx.get(f"{url}/v1/runs?cursor={MARK}", headers={"X-Request-Id": "mine-1"})
    texts = {path.stem: path.read_text() for path in (home / "logs").glob("*.log")}
    return texts, run.id


def test_every_line_is_a_json_object(logs):
    """API, worker and reader log JSON, from fitserve, uvicorn and Celery."""
    texts, _ = logs
    loggers = set()
    for part, process in (("api", "api"), ("worker", "worker"), ("reader", "reader")):
        for line in texts[part].splitlines():
            entry = json.loads(line)
            assert entry["process"] == process
            assert {"time", "level", "pid", "logger", "message"} <= entry.keys()
            loggers.add(entry["logger"].partition(".")[0])
    assert loggers >= {"uvicorn", "celery", "service", "workers"}


def test_no_log_contains_a_key_or_a_body(logs):
    """Neither valid nor invalid keys, request bodies nor queries appear."""
    texts, _ = logs
    for part, text in texts.items():
        for secret in (KEY, WRONG, MARK):
            assert secret not in text, (part, secret)


def test_a_run_can_be_followed_from_request_to_worker(logs):
    """The API logs request id and run id on one line; the worker logs run id and attempt."""
    texts, run_id = logs
    api = [json.loads(line) for line in texts["api"].splitlines()]
    queued = [line for line in api if line.get("run_id") == run_id]
    posts = [line for line in api if line["message"] == "POST /v1/runs 202"]
    assert queued[0]["request_id"] == posts[0]["request_id"]
    assert posts[0]["seconds"] > 0
    worker = [json.loads(line) for line in texts["worker"].splitlines()]
    about = [line for line in worker if line.get("run_id") == run_id]
    ended = next(line for line in about if "succeeded" in line["message"])
    assert (ended["attempt"], ended["model"]) == (1, "m")
    assert ended["dataset_id"].startswith("dataset_")
    assert "mine-1" in {line.get("request_id") for line in api}
