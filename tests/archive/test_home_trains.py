"""Check plots, promotions, training and deletions on a home from an earlier release."""

import unicodedata

import pytest
from sqlalchemy import select

from core.runs.tables import Epoch
from tests.archive.essentials import differences, exchange
from tests.archive.opening import ARCHIVES, open_home
from tests.problems import assert_problem

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda archive: archive.name)
def opened(request, tmp_path_factory, broker_url):
    """Return a service on a home that the tests change."""
    home = tmp_path_factory.mktemp("archive") / "home"
    with open_home(request.param, home, broker_url) as opened:
        yield opened


def recorded_run(opened, model, version):
    """Return the id of the run that made a version."""
    (found,) = [
        run["id"]
        for run in opened.expected["facts"]["default"]["runs"]
        if (run["model_name"], run["model_version"]) == (model, version)
    ]
    return found


def spec_of(opened, model, version=1):
    """Return the spec from the body of the run, as a request body."""
    path = f"/v1/runs/{recorded_run(opened, model, version)}"
    spec = opened.get(path).json()["spec"]
    return {key: value for key, value in spec.items() if value is not None}


def test_plots_are_drawn(opened):
    """The plots show a history of two fits, and figures of regression and classification."""
    rent, grade = recorded_run(opened, "rent", 2), recorded_run(opened, "grade", 1)
    paths = [
        f"/v1/runs/{rent}/history.svg",
        opened.get(f"/v1/runs/{rent}/report").json()["plots"]["residuals"],
        opened.get(f"/v1/runs/{grade}/report").json()["plots"]["confusion_matrix"],
    ]
    for path in paths:
        assert opened.get(path).text.count("<svg") == 1


def test_better_old_versions_are_promoted(opened):
    """The promotion compares the figures in the recorded reports."""
    path = "/v1/models/rent/aliases/champion"
    reports = opened.expected["facts"]["default"]["reports"]
    one, two = (
        reports[recorded_run(opened, "rent", n)]["metrics"]["rmse"] for n in (1, 2)
    )
    assert two < one
    body = {"version": 1, "require": {"rmse": "< current"}}
    assert_problem(opened.client.put(path, json=body), 409, "requirement-not-met")
    for number, require in ((1, {}), (2, {"rmse": "< current", "r2": "> current"})):
        answer = opened.client.put(path, json={"version": number, "require": require})
        assert answer.is_success, answer.text
    assert opened.get("/v1/models/rent").json()["aliases"]["champion"] == 2


@pytest.mark.parametrize(
    "model", ["rent", "sold", "grade", "stars", "paid", "spent", "wine", "line"]
)
def test_an_old_spec_is_still_valid(opened, model):
    """The posted spec gives the recorded spec, task and number of weights.

    Only free text in `features.include` is no longer accepted.
    """
    spec = spec_of(opened, model)
    if model == "grade":
        refused = opened.client.post("/v1/runs/validate", json=spec)
        assert (
            assert_problem(refused, 422, "invalid-spec")["errors"][0]["pointer"]
            == "#/features/include/2"
        )
        spec["features"]["include"].remove("note")
    answer = opened.client.post("/v1/runs/validate", json=spec)
    assert answer.status_code == 200, answer.text
    validated = answer.json()
    run = opened.get(f"/v1/runs/{recorded_run(opened, model, 1)}").json()
    assert (validated["task"], validated["num_rows"]) == (run["task"], run["num_rows"])
    assert not differences(spec, validated["spec"])


def test_a_queued_run_is_trained(opened):
    """The run makes the next version of its model."""
    run = opened.execute(opened.expected["queued"]["waiting"])
    assert (run["status"], run["model_version"]) == ("succeeded", 3), run["error"]
    assert opened.get(f"/v1/runs/{run['id']}/report").json()["status"] == "ready"


def test_an_interrupted_run_continues_from_its_checkpoint(opened):
    """No epoch is lost or trained twice."""
    run_id = opened.expected["queued"]["begun"]
    before = epochs_of(opened, run_id)
    assert before
    run = opened.execute(run_id)
    assert run["status"] == "succeeded", run["error"]
    after = epochs_of(opened, run_id)
    assert [epoch for epoch, _ in after] == list(range(1, run["progress"]["epochs"] + 1))
    assert after[: len(before)] == before


def epochs_of(opened, run_id):
    """Return each epoch with its time since the start of the fit, which no fit repeats."""
    query = select(Epoch.epoch, Epoch.seconds).where(Epoch.run_id == run_id)
    with opened.database.read() as session:
        return [tuple(row) for row in session.execute(query.order_by(Epoch.epoch))]


def test_a_new_run_on_an_old_dataset_keeps_old_versions(opened):
    """The new run makes version 2 of `paid` with the spec of version 1."""
    run = opened.train(spec_of(opened, "paid"))
    assert (run["status"], run["model_version"]) == ("succeeded", 2), run["error"]
    asked = [
        recorded
        for recorded in opened.expected["exchanges"]
        if recorded["path"] == "/v1/models/paid/versions/1/predict"
    ]
    key = opened.expected["keys"]["default"]
    for recorded in asked:
        found = exchange(opened.client, recorded, key)
        assert not differences(recorded.get("answer"), found.get("answer"))
    newest = asked[0] | {"path": "/v1/models/paid/predict"}
    assert exchange(opened.client, newest, key)["answer"]["model_version"] == 2


def test_an_alias_older_than_the_history_has_nothing_to_undo(opened):
    url = "/v1/models/rent/changes/undo"
    answer = opened.client.post(url, json={"alias": "live"})
    assert_problem(answer, 409, "nothing-to-undo")
    answer = opened.client.post(url, json={"alias": "other"})
    assert_problem(answer, 404, "alias-not-found")


def test_an_old_table_grows_by_its_own_file(opened):
    """Its names may be decomposed (NFD), as its file has them; names are composed now."""
    before = opened.get("/v1/datasets/homes").json()
    names = [column["name"] for column in before["columns"]]
    (name,) = [n for n in names if unicodedata.normalize("NFC", n) == "Größe"]
    assert name != "Größe"
    rows = opened.get("/v1/datasets/homes/content").content
    for body in (rows, '{"Größe": 80.5, "rent": 900.5}\n'.encode()):
        answer = opened.client.post("/v1/datasets/homes/rows", content=body)
        assert answer.status_code == 201, answer.text
        assert [column["name"] for column in answer.json()["columns"]] == names
        assert not [w for w in answer.json()["warnings"] if name in w]


def test_a_new_upload_keeps_the_inputs_of_an_old_version(opened):
    """Another Unicode form of a name is no other input, also for a promotion."""
    rows = opened.get("/v1/datasets/homes@1/content").content
    url = "/v1/datasets?name=homes-again"
    assert opened.client.post(url, content=rows).status_code == 201
    spec = spec_of(opened, "rent") | {"dataset": "homes-again"}
    for as_ in (None, "version 1"):
        body = spec | {"features": {"as": as_} if as_ else spec["features"]}
        answer = opened.client.post("/v1/runs/validate", json=body)
        assert answer.status_code == 200, answer.text
        assert "inputs differ" not in answer.text


def test_an_old_version_and_its_files_are_deleted(opened):
    """An old dataset that no run uses is deleted, too."""
    folder = opened.settings.files_dir / "runs" / recorded_run(opened, "wine", 1)
    assert folder.exists()
    for path in ("/v1/models/wine", "/v1/datasets/wine"):
        assert opened.client.delete(path).status_code == 204
        assert opened.client.get(path).status_code == 404
    assert not [path for path in folder.rglob("*") if path.is_file()]
