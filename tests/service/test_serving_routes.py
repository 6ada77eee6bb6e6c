"""Test the serving version: deletion, routes without a version, cursors and keys."""

import pytest

from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.service.predictor.store import copies
from tests.service.small_model import FIT, ROW, ask

pytestmark = pytest.mark.keras


@pytest.fixture
def bench(tmp_path, broker_url, small_home):
    with bench_in(tmp_path / "home", broker_url, small_home) as bench:
        yield bench


def test_the_serving_version_cannot_be_deleted(client, bench):
    """First let another version serve; the last version is deleted with its model."""
    copies(bench, ["m"])
    url = "/v1/models/m/versions"
    problem = assert_problem(client.delete(f"{url}/1"), 409, "version-in-use")
    assert "fitserve models promote m 2" in problem["detail"]
    assert client.put("/v1/models/m/serving", json={"version": 2}).status_code == 200
    assert client.delete(f"{url}/1").status_code == 204
    answer = client.post("/v1/models/m/changes/undo")
    assert "deleted since" in assert_problem(answer, 409, "nothing-to-undo")["detail"]
    assert client.delete(f"{url}/2").status_code == 204
    assert_problem(client.get("/v1/models/m"), 404, "model-not-found")


@pytest.mark.parametrize("cursor", ["9" * 40, str(2**63), "-1", "a", "\u0661"])
@pytest.mark.parametrize("listed", ["changes", "versions"])
def test_a_cursor_beyond_all_numbers_is_ignored(client, bench, listed, cursor):
    copies(bench, ["m"])
    answer = client.get(f"/v1/models/m/{listed}", params={"cursor": cursor})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "key"),
    [
        ("PUT", "serving", {"version": 2, "requires": {"rmse": "< 0"}}, "requires"),
        ("POST", "changes/undo", {"alais": "live"}, "alais"),
    ],
)
def test_a_misspelt_key_moves_nothing(client, bench, method, path, body, key):
    """If such keys were ignored, a version would be promoted without its requirement."""
    copies(bench, ["m"])
    before = client.get("/v1/models/m/changes").json()
    answer = client.request(method, f"/v1/models/m/{path}", json=body)
    problem = assert_problem(answer, 422, "invalid-body")
    assert problem["errors"][0]["pointer"] == f"#/{key}"
    assert f"`{key}` is not a key of this object" in problem["detail"]
    assert client.get("/v1/models/m/changes").json() == before


@pytest.mark.parametrize("path", ["serving", "aliases/live"])
def test_a_number_does_not_allow_a_new_contract(client, bench, path):
    copies(bench, ["m"])
    body = {"version": 2, "allow_new_contract": 1}
    answer = client.put(f"/v1/models/m/{path}", json=body)
    problem = assert_problem(answer, 422, "invalid-body")
    assert problem["errors"][0]["pointer"] == "#/allow_new_contract"


@pytest.mark.parametrize("path", ["serving", "aliases/live"])
def test_only_a_whole_number_is_the_number_of_a_version(client, bench, path):
    copies(bench, ["m"])
    before = client.get("/v1/models/m/changes").json()
    for version in (True, "1", 1.0):
        answer = client.put(f"/v1/models/m/{path}", json={"version": version})
        problem = assert_problem(answer, 422, "invalid-body")
        assert problem["errors"][0]["pointer"] == "#/version"
        assert f"got {version!r}; expected a whole number" in problem["detail"]
    assert client.get("/v1/models/m/changes").json() == before


def test_every_route_without_a_version_uses_the_serving_one(client, bench):
    """The native routes and those of other protocols agree, also after a rollback."""
    copies(bench, ["m"])
    moved = client.put("/v1/models/m/serving", json={"version": 2})
    assert moved.status_code == 200
    for number in (2, 1):
        client.put("/v1/models/m/serving", json={"version": number})
        assert ask(client, instances=[ROW]).json()["model_version"] == number
        answer = client.get("/v1/models/m/metadata").json()
        assert answer["model_spec"]["version"] == str(number)
        answer = client.get("/v1/models/m/openapi.json").json()
        assert f"version {number}" in str(answer)
        body = {"inputs": [
            {"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [3]},
            {"name": "c", "shape": [1, 1], "datatype": "BYTES", "data": ["a"]},
            {"name": "label", "shape": [1, 1], "datatype": "BOOL", "data": [True]},
        ]}  # fmt: skip
        answer = client.post("/v2/models/m/infer", json=body)
        assert answer.json()["model_version"] == str(number), answer.text


def test_snippets_name_an_alias_of_the_serving_version(client, bench):
    """Without an alias, they name only the model."""
    assert "/models/m/predict" in client.get("/v1/models/m/snippets/curl").text
    client.put("/v1/models/m/aliases/live", json={"version": 1})
    assert (
        "/models/m/aliases/live/predict" in client.get("/v1/models/m/snippets/curl").text
    )
    assert 'alias="live"' in client.get("/v1/models/m/snippets").json()["python-fitserve"]


def test_a_cancelled_run_does_not_replace_a_whole_version(bench):
    """The version of a cancelled run serves only while there is no other."""
    run_id = bench.post(
        {"dataset": "table", "target": "y", "model_name": "m", "fit": FIT}
    )
    from core.models.repository import ModelRepository
    from core.models.run_promotion import promote_at_end
    from core.models.tables import Version

    with bench.database.write() as session:
        models = ModelRepository(session, "default")
        first = models.version("m", 1)
        part = Version(
            model_name="m",
            run_id=run_id,
            signature=first.signature,
            metrics={},
            layers=[],
            is_whole=False,
        )
        models.add_version(part)
        from core.runs.tables import Run

        assert promote_at_end(models, session.get_one(Run, run_id), part, None) == []
        assert models.serving("m").number == 1
