"""Promotions with requirements, and comparisons of runs."""

import numpy as np
import pytest

from tests.conftest import bench_in
from tests.problems import assert_problem

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)
A, B, NOISE = RNG.normal(size=(3, 200))
LABELS = np.where(A + B + 0.5 * NOISE > 0, "won", "lost")
CSV = "a,b,c,y\n" + "".join(
    f"{a},{b},{'pq'[i % 2]},{y}\n"
    for i, (a, b, y) in enumerate(zip(A, B, LABELS, strict=True))
)
URL = "/v1/models/m/aliases/live"


def spec(epochs, **changes):
    return {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "model": {"layers": [{"type": "Dense", "units": 8, "activation": "relu"}, {"type": "Output"}]},
        "compile": {"optimizer": {"type": "Adam", "learning_rate": 0.02}},
        "fit": {"epochs": epochs, "seed": 1, "batch_size": 32, "validation_split": 0.4},
        **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    """Train a good version 1, and a version 2 with one epoch and without column b."""
    home = tmp_path_factory.mktemp("promotion") / "home"
    with bench_in(home, broker_url) as bench:
        bench.upload(CSV)
        bench.runs = [
            bench.train(spec(30)),
            bench.train(spec(1, features={"exclude": ["b"]})),
        ]
        yield bench


@pytest.fixture
def client(bench):
    yield bench.client
    bench.client.delete(URL)


def put(client, version, **require):
    """Promote a version; version 1 has an input that version 2 does not have."""
    body = {"version": version, "allow_new_contract": True}
    return client.put(URL, json={**body, **({"require": require} if require else {})})


def figures(client, version):
    return client.get(f"/v1/models/m/versions/{version}/report").json()["metrics"]


def test_a_worse_version_is_refused_with_both_figures(client):
    """The figures are those of the reports, with the interval; the alias stays."""
    assert put(client, 1).status_code == 200
    answer = put(client, 2, auc=">= current", log_loss="<= current")
    problem = assert_problem(answer, 409, "requirement-not-met")
    new, old = figures(client, 2), figures(client, 1)
    first, second = problem["errors"]
    assert first["pointer"] == "#/require/auc"
    for error, name in ((first, "roc_auc"), (second, "log_loss")):
        said, interval = error["detail"].split(" (95 % interval of the difference: ")
        named = [float(word) for word in said.split() if word[:2] in ("0.", "1.")]
        assert named == pytest.approx([new[name], old[name]], rel=1e-4)
        low, high = interval.split(")")[0].split(" to ")
        assert float(low) <= new[name] - old[name] <= float(high)
    assert "79 validation rows" in problem["detail"]
    assert client.get("/v1/models/m").json()["aliases"] == {"live": 1}


def test_a_better_version_is_promoted(client):
    assert put(client, 2).status_code == 200
    assert put(client, 1, auc=">= current", accuracy="> 0.5").status_code == 200
    assert client.get("/v1/models/m").json()["aliases"] == {"live": 1}


def test_the_first_promotion_meets_current(client):
    """A requirement with a number still applies."""
    assert_problem(put(client, 2, auc=">= 0.9999"), 409, "requirement-not-met")
    assert client.get("/v1/models/m").json()["aliases"] == {}
    assert put(client, 2, auc=">= current").status_code == 200


def test_an_invalid_requirement_is_a_422(client):
    """The alias stays."""
    assert_problem(put(client, 1, auc="current"), 422, "invalid-requirement")
    assert_problem(put(client, 1, r2="> 0"), 422, "invalid-requirement")
    assert_problem(
        client.put(URL, json={"version": 1, "require": {"auc": 1}}), 422, "invalid-body"
    )
    assert_problem(put(client, 9, auc="> 0"), 404, "version-not-found")
    assert client.get("/v1/models/m").json()["aliases"] == {}


def test_an_alias_that_moved_meanwhile_is_not_overwritten(client, monkeypatch):
    """The served version is no longer the one that was compared."""
    from core.models.requirements import Requirement

    assert put(client, 2).status_code == 200

    def moved(*_):
        client.put(URL, json={"version": 1, "allow_new_contract": True})
        return True

    monkeypatch.setattr(Requirement, "is_met_by_difference", moved)
    assert_problem(put(client, 1, auc=">= current"), 409, "alias-moved")


def test_a_run_without_an_input_says_so_and_keeps_the_classes(bench):
    """Classes of the plan and of the stored version are compared by type and value."""
    about = [w for w in bench.runs[1]["warnings"] if "differ" in w]
    assert about == ["inputs differ from version 1: - b"]


def test_versions_without_common_held_out_rows_are_not_compared(bench):
    """The 409 says how to hold rows out; a number can still be required."""
    fit = {"epochs": 1, "seed": 1, "validation_split": 0.0}
    bench.train(spec(1, model_name="whole", fit=fit))
    bench.train(spec(1, model_name="whole"))
    url = "/v1/models/whole/serving"
    bench.client.put(url, json={"version": 1, "allow_new_contract": True})
    body = {"version": 2, "require": {"auc": ">= current"}}
    problem = assert_problem(bench.client.put(url, json=body), 409, "unscored")
    assert "give `split.test`" in problem["detail"]
    body = {"version": 2, "require": {"auc": "> 0.01"}}
    assert bench.client.put(url, json=body).status_code == 200


def test_runs_are_compared(bench):
    """Curves are aligned by epoch; figures and differences of the specs are listed."""
    long, short = bench.runs
    answer = bench.client.get(f"/v1/runs/compare?ids={long['id']},{short['id']}").json()
    assert [run["id"] for run in answer["runs"]] == [long["id"], short["id"]]
    assert answer["epoch"] == list(range(1, 31))
    first, second = answer["curves"]["val_loss"]
    assert first[29] == long["metrics"]["val_loss"]
    assert second == [short["metrics"]["val_loss"], *[None] * 29]
    assert answer["runs"][0]["headline"]["metrics"] == figures(bench.client, 1)
    differing = {d["pointer"]: d["values"] for d in answer["differences"]}
    assert differing == {
        "#/fit/epochs": [30, 1],
        "#/features/exclude": [[], None],
        "#/features/exclude/0": [None, "b"],
    }
    assert answer["warnings"] == []


@pytest.mark.parametrize(
    "ids", ["", "run_1", "run_1,run_1", ",".join(f"run_{i}" for i in range(21))]
)
def test_a_comparison_needs_two_to_twenty_different_runs(bench, ids):
    assert_problem(bench.client.get(f"/v1/runs/compare?ids={ids}"), 400, "invalid-query")


def test_runs_scored_on_other_rows_have_a_warning(bench):
    """A queued run can be compared too."""
    other = bench.post(spec(5, fit={"epochs": 5, "seed": 2}, target="c"))
    answer = bench.client.get(
        f"/v1/runs/compare?ids={bench.runs[0]['id']},{other}"
    ).json()
    assert answer["curves"]["val_loss"][1] == [None] * 30
    assert "targets differ" in answer["warnings"][0]
    assert "seeds and validation splits differ" in answer["warnings"][1]
    bench.client.post(f"/v1/runs/{other}/cancel")
    answer = bench.client.get(f"/v1/runs/compare?ids={bench.runs[0]['id']},run_x")
    assert_problem(answer, 404, "run-not-found")


def test_without_its_dataset_a_version_cannot_be_scored(bench):
    """The 409 names the deleted dataset."""
    client = bench.client
    bench.upload(CSV, "gone")
    bench.train(spec(1, dataset="gone", model_name="orphan"))
    assert client.delete("/v1/datasets/gone").status_code == 204
    url = "/v1/models/orphan/aliases/live"
    answer = client.put(url, json={"version": 1, "require": {"auc": "> 0"}})
    assert "'gone'" in assert_problem(answer, 409, "unscored")["detail"]
    assert client.put(url, json={"version": 1}).status_code == 200
