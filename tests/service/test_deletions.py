"""Deleting models and versions: files are deleted, and numbers are not reused."""

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.service.predictor.store import copies
from tests.service.small_model import ROW, SPEC, ask

pytestmark = pytest.mark.keras


@pytest.fixture
def bench(tmp_path, broker_url, small_home):
    with bench_in(tmp_path / "home", broker_url, small_home) as bench:
        yield bench


@pytest.fixture
def model(bench):
    """Create versions 1 and 2 of `m`, and predict with each."""
    copies(bench, ["m"])
    for path in ("", "/versions/1", "/versions/2"):
        assert predict(bench.client, path).status_code == 200


def predict(client, path=""):
    return ask(client, f"/v1/models/m{path}/predict", instances=[ROW])


def files(bench, word="model.onnx"):
    return [path for path in bench.files.rglob("*") if path.name == word]


def test_a_version_is_deleted_with_its_files(bench, model):
    """Other versions are still served, and the run of the version stays."""
    client = bench.client
    assert len(files(bench)) == 2
    assert client.delete("/v1/models/m/versions/2").status_code == 204
    assert predict(client).json()["model_version"] == 1
    assert_problem(predict(client, "/versions/2"), 404, "version-not-found")
    assert_problem(client.delete("/v1/models/m/versions/2"), 404, "version-not-found")
    assert client.get("/v1/models/m").json()["versions"] == [1]
    assert len(files(bench)) == 1
    assert len(client.get("/v1/runs").json()["items"]) == 2


def test_a_version_with_an_alias_is_not_deleted(bench, model):
    """The problem names the alias and how to remove it."""
    client = bench.client
    client.put("/v1/models/m/aliases/live", json={"version": 1})
    for path in ("/v1/models/m/versions/1", "/v1/models/m"):
        refused = assert_problem(client.delete(path), 409, "version-in-use")
        assert "'live' to 1" in refused["detail"]
        assert "DELETE /v1/models/m/aliases/live" in refused["detail"]
        assert "fitserve models delete m --alias live" in refused["detail"]
    assert predict(client, "/versions/1").status_code == 200
    assert client.delete("/v1/models/m/versions/2").status_code == 204
    client.delete("/v1/models/m/aliases/live")
    assert client.delete("/v1/models/m/versions/1").status_code == 204


def test_a_model_is_deleted_with_all_its_versions(bench, model):
    """No version is served, and no file stays."""
    client = bench.client
    assert client.delete("/v1/models/m").status_code == 204
    for answer in (
        predict(client),
        predict(client, "/versions/1"),
        client.delete("/v1/models/m"),
    ):
        assert_problem(answer, 404, "model-not-found")
    assert client.get("/v1/models").json()["items"] == []
    assert files(bench) == []
    assert files(bench, "model.keras") == []


@pytest.mark.heavy
def test_a_number_is_not_used_twice(bench, model):
    """A link to version 1 must never lead to another network."""
    client = bench.client
    client.delete("/v1/models/m")
    run = bench.train(SPEC)
    # version 2 of the fixture was a copy, which no training had counted
    assert run["model_version"] == 2
    assert client.delete("/v1/models/m/versions/2").status_code == 204
    assert_problem(client.get("/v1/models/m"), 404, "model-not-found")
    assert bench.train(SPEC)["model_version"] == 3
    assert_problem(predict(client, "/versions/2"), 404, "version-not-found")


def test_another_process_drops_a_deleted_version(bench, model):
    """The other process drops the version when it reads the names again."""
    with TestClient(create_app(bench.settings), base_url="http://localhost") as other:
        assert predict(other, "/versions/2").status_code == 200
        versions = other.app.state.services.predictor.versions
        bench.client.delete("/v1/models/m/versions/2")
        versions.refresh(("default", "m"))
        assert_problem(predict(other, "/versions/2"), 404, "version-not-found")
        assert predict(other).json()["model_version"] == 1


def test_a_run_outlives_its_model(bench, model):
    """Its report has no figures, and it can still be compared."""
    client = bench.client
    first, other = (run["id"] for run in client.get("/v1/runs").json()["items"])
    client.delete("/v1/models/m")
    report = client.get(f"/v1/runs/{first}/report")
    assert report.status_code == 200, report.text
    assert (report.json()["status"], report.json()["metrics"]) == ("none", {})
    assert "deleted" in report.json()["missing"][0]["reason"]
    answer = client.get(f"/v1/runs/compare?ids={first},{other}")
    assert answer.status_code == 200, answer.text
    assert [run["headline"] for run in answer.json()["runs"]] == [None, None]
