"""Check that a home made by an earlier release gives the recorded answers."""

import hashlib

import pytest

from tests.archive.essentials import bearing, differences, exchange, facts
from tests.archive.opening import ARCHIVES, open_home
from tests.problems import assert_problem
from tests.servers import ENGINES


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda archive: archive.name)
def archive(request):
    return request.param


@pytest.fixture(scope="module", params=ENGINES)
def served(request, archive, tmp_path_factory, broker_url):
    """Return a service that the tests only read from, on SQLite or PostgreSQL."""
    home = tmp_path_factory.mktemp("archive") / "home"
    with open_home(
        archive, home, broker_url, on_postgres=request.param == "postgresql"
    ) as opened:
        yield opened


def ended(served):
    """Return the recorded runs that made a version, by id."""
    runs = served.expected["facts"]["default"]["runs"]
    return {run["id"]: run for run in runs if run["model_version"] is not None}


def version_paths(served):
    for version in served.expected["facts"]["default"]["versions"]:
        name, number = version["model_name"], version["version"]
        yield f"/v1/models/{name}/versions/{number}", version


def test_an_archive_exists():
    """Without an archive, pytest would skip every test below."""
    assert "home-0aab14c.tar.xz" in [archive.name for archive in ARCHIVES]


def test_every_recorded_request_gets_its_recorded_answer(served):
    """Predictions agree to 1e-6 in all protocols; so do labels and places of warnings."""
    found, keys = [], served.expected["keys"]
    for recorded in served.expected["exchanges"]:
        answer = exchange(served.client, recorded, keys[recorded["workspace"]])
        known = {
            name: recorded[name]
            for name in ("status", "answer", "type")
            if name in recorded
        }
        found += [f"{recorded['path']} {line}" for line in differences(known, answer)]
    assert not found, found[:20]
    assert len(served.expected["exchanges"]) > 90


def test_refused_requests_are_refused_or_answered(served):
    """A later release may accept more cells, but it never fails on them."""
    key = served.expected["keys"]["default"]
    for asked in served.expected["refused_at_first"]:
        assert exchange(served.client, asked, key)["status"] in (200, 422)


@pytest.mark.parametrize("workspace", ["default", "second"])
def test_datasets_runs_models_and_reports_are_as_they_were(served, workspace):
    """The lists agree with their histories, figures, aliases and weights."""
    known = served.expected["facts"][workspace]
    now = facts(served.client, bearing(served.expected["keys"][workspace]))
    found = differences(known, now)
    assert not found, found[:20]
    assert known["datasets"]
    assert known["versions"]


def test_every_download_equals_the_recorded_file(served):
    """The test compares sha256 and length."""
    for path, version in version_paths(served):
        for file in version["artifacts"]:
            content = served.get(f"{path}/artifacts/{file['name']}").content
            assert len(content) == file["num_bytes"]
            assert hashlib.sha256(content).hexdigest() == file["sha256"], path


def test_uploads_are_returned_byte_for_byte(served):
    """The service returns the CSV, and its parsed rows."""
    for dataset in served.expected["facts"]["default"]["datasets"]:
        content = served.get(f"/v1/datasets/{dataset['id']}/content").content
        assert "sha256:" + hashlib.sha256(content).hexdigest() == dataset["digest"]
        rows = served.get(f"/v1/datasets/{dataset['id']}/rows").json()
        assert rows["columns"] == [column["name"] for column in dataset["columns"]]
        assert rows["total"] == dataset["num_rows"]


def test_a_deleted_dataset_stays_deleted_and_its_model_stays(served):
    """`gone` was deleted after `orphan` was trained."""
    assert_problem(served.client.get("/v1/datasets/gone"), 404, "dataset-not-found")
    assert served.get("/v1/models/orphan").json()["versions"] == [1]


def test_every_history_is_available_as_csv(served):
    """The CSV has one line per epoch."""
    for run_id in ended(served):
        known = served.expected["facts"]["default"]["histories"][run_id]["epoch"]
        table = served.get(f"/v1/runs/{run_id}/history", headers={"Accept": "text/csv"})
        header, *lines = table.text.splitlines()
        assert header.startswith("epoch,")
        assert [int(line.split(",")[0]) for line in lines] == known


def test_two_runs_can_be_compared(served):
    """The curves equal the recorded histories."""
    first, second = [
        run for run in ended(served).values() if run["model_name"] == "rent"
    ][::-1]
    query = {"ids": f"{first['id']},{second['id']}"}
    compared = served.get("/v1/runs/compare", params=query).json()
    assert [run["id"] for run in compared["runs"]] == [first["id"], second["id"]]
    history = served.expected["facts"]["default"]["histories"][first["id"]]["history"]
    curve = compared["curves"]["val_loss"][0][: len(history["val_loss"])]
    assert not differences(history["val_loss"], curve)
    pointers = {difference["pointer"] for difference in compared["differences"]}
    assert {"/fit/epochs", "/fit/num_seeds"} <= {p.removeprefix("#") for p in pointers}


def test_every_version_has_descriptions(served):
    """A version is described as JSON Schema, as OpenAPI, and as code."""
    for path, version in version_paths(served):
        schema = served.get(f"{path}/schema").json()
        names = {feature["name"] for feature in version["features"]}
        assert names <= set(schema["properties"]), path
        assert served.get(f"{path}/openapi.json").json()["openapi"].startswith("3.1")
        assert served.get(f"{path}/snippets").json()


def test_the_openai_routes_list_datasets_and_runs(served):
    """Datasets appear as files, runs as jobs."""
    known = served.expected["facts"]["default"]
    for path, name in (("/v1/files", "datasets"), ("/v1/fine_tuning/jobs", "runs")):
        listed = served.get(path, params={"limit": 100}).json()["data"]
        assert {item["id"] for item in listed} == {item["id"] for item in known[name]}


def test_only_the_keys_of_the_home_are_accepted(served):
    """The service reads the pepper next to the database, and separates workspaces."""
    for name, key in served.expected["keys"].items():
        current = served.get("/v1/keys/current", headers=bearing(key)).json()
        assert current["workspace"] == name
    wrong = bearing(served.expected["keys"]["default"][:-1] + "#")
    assert served.client.get("/v1/runs", headers=wrong).status_code == 401
    second = bearing(served.expected["keys"]["second"])
    for run_id in ended(served):
        assert served.client.get(f"/v1/runs/{run_id}", headers=second).status_code == 404
