"""Test the serving version: retraining breaks no caller, and each change can be undone."""

import numpy as np
import pytest

from tests.conftest import bench_in
from tests.problems import assert_problem

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)
AREA = RNG.uniform(20, 200, 900).round(1)
KIND = RNG.choice(["flat", "house"], 900)
PRICE = (AREA * 10 + 50 * (KIND == "house") + 200 * RNG.normal(size=900)).round(1)
OLD_ROW = {"area": 80.5, "kind": "flat"}


def csv(num_rows, num_ids, **more):
    """Return listings; after `num_ids` rows the ids repeat."""
    head = ",".join(["listing_id", "area", "kind", *more, "price"])
    lines = [
        f"{1000 + 7 * (i % num_ids)},{AREA[i]},{KIND[i]},"
        + "".join(f"{column[i]}," for column in more.values())
        + f"{PRICE[i]}"
        for i in range(num_rows)
    ]
    return "\n".join([head, *lines]) + "\n"


def spec(**changes):
    fit = {"epochs": 2, "seed": 1}
    return {
        "dataset": "listings",
        "target": "price",
        "model_name": "prices",
        "preset": "linear",
        "fit": fit,
        **changes,
    }


@pytest.fixture(scope="module")
def story_home(tmp_path_factory, broker_url):
    """Train version 1, in which `listing_id` is an id."""
    home = tmp_path_factory.mktemp("story") / "home"
    with bench_in(home, broker_url) as bench:
        bench.upload(csv(300, 300), "listings")
        run = bench.train(spec())
        assert run["status"] == "succeeded", run["error"]
        assert run["model_version"] == 1
    return bench.settings


@pytest.fixture
def story(tmp_path, broker_url, story_home):
    with bench_in(tmp_path / "home", broker_url, story_home) as bench:
        yield bench


def answered(client, row=OLD_ROW, path="/v1/models/prices/predict"):
    """Return the answer to one row, from the version that serves now, not a second ago."""
    name = path.split("/")[3]
    client.app.state.services.predictor.versions.refresh(("default", name))
    answer = client.post(path, json={"instances": [row]})
    assert answer.status_code == 200, answer.text
    return answer.json()


def predicted(client, row=OLD_ROW, path="/v1/models/prices/predict"):
    return answered(client, row, path)["model_version"]


def model(client, name="prices"):
    return client.get(f"/v1/models/{name}").json()


def test_rows_that_make_an_id_a_feature_break_no_caller(story):
    """An id stays out of the inputs, each step reports its effect, and one call undoes it."""
    client = story.client
    assert predicted(client) == 1
    story.upload(csv(900, 300), "listings")
    checked = client.post("/v1/runs/validate", json=spec()).json()
    assert checked["features"] == ["area", "kind"]
    assert checked["excluded"]["listing_id"] == "not an input of version 1"
    (warning,) = [w for w in checked["warnings"] if "listing_id" in w]
    assert "version 1 does not have it as input: 'listing_id'" in warning
    run = story.train(spec())
    assert run["warnings"] == checked["warnings"]
    assert predicted(client) == 2
    found = model(client)
    assert (found["serving_version"], found["latest_version"]) == (2, 2)
    changes = client.get("/v1/models/prices/changes").json()["items"]
    assert [(c["before"], c["after"]) for c in changes] == [(1, 2), (None, 1)]
    assert [c["why"] for c in changes] == [f"promotion of {run['id']}", "first version"]
    assert changes[0]["who"] == f"run {run['id']}"
    other = client.post("/v1/models/prices/changes/undo", json={"change": 1})
    assert other.status_code == 409, other.text
    assert (
        "expected change 2, from version 1 to version 2, which is the next"
        in other.json()["detail"]
    )
    undone = client.post("/v1/models/prices/changes/undo", json={"change": 2}).json()
    again = client.post("/v1/models/prices/changes/undo", json={"change": 2})
    assert again.json()["type"] == "/problems/nothing-to-undo"
    assert (undone["before"], undone["after"], undone["undoes"]) == (2, 1, 2)
    assert predicted(client) == 1
    answer = client.post("/v1/models/prices/changes/undo", json={})
    assert_problem(answer, 409, "nothing-to-undo")


def test_a_run_that_chooses_other_inputs_does_not_serve(story):
    """A warning lists what differs; a promotion needs `allow_new_contract`."""
    client = story.client
    story.upload(csv(900, 300), "listings")
    run = story.train(spec(features={"as": "table"}))
    differ, stays = [w for w in run["warnings"] if "listing_id" in w]
    assert differ == "inputs differ from version 1: + listing_id"
    assert stays.startswith("version 1 keeps serving, not version 2: Version 2")
    assert "'listing_id' is a new required input" in stays
    assert predicted(client) == 1
    versions = client.get("/v1/models/prices/versions").json()["items"]
    assert [(v["version"], v["serves"]) for v in versions] == [(2, False), (1, True)]
    url = "/v1/models/prices/serving"
    problem = assert_problem(client.put(url, json={"version": 2}), 409, "contract-broken")
    (error,) = problem["errors"]
    assert error["column"] == "listing_id"
    body = {"version": 2, "allow_new_contract": True, "reason": "callers are ready"}
    assert client.put(url, json=body).json()["serves"]
    assert predicted(client, {**OLD_ROW, "listing_id": 1000}) == 2
    contract = model(client)["contract"]
    assert contract["version"] == 2
    assert [i["name"] for i in contract["inputs"]] == ["listing_id", "area", "kind"]
    assert contract["target"] == "price"
    (change, _) = client.get("/v1/models/prices/changes").json()["items"]
    assert (change["why"], change["who"]) == ("callers are ready", "a local program")


def assert_compared_on_common_rows(client, ids):
    """A run before an append and one after it held out common rows."""
    query = {"ids": ",".join(ids)}
    compared = client.get("/v1/runs/compare", params=query).json()
    assert compared["warnings"] == []
    common = compared["common"]
    assert compared["advice"] == (
        "listings@2 has 600 rows more than listings@1 (appended), so compare R² on the "
        f"{common['num_rows']} validation rows that both held out"
    )
    assert (common["metric"], common["side"]) == ("r2", "validation")
    assert 0 < common["num_rows"] <= compared["runs"][1]["num_rows"]["validation"]
    first, second = common["values"]
    assert common["low"] <= second - first <= common["high"]
    query = {"ids": ",".join(ids[::-1])}
    turned = client.get("/v1/runs/compare", params=query).json()["common"]
    assert turned["values"] == [second, first]
    assert (turned["low"], turned["high"]) == (-common["high"], -common["low"])


def test_runs_on_tables_of_equal_length_are_compared_in_any_order(story):
    """Other splits of one table held out common rows; the difference changes its sign."""
    client = story.client
    newer = story.train(spec(split={"test": 0.1}))["id"]
    *_, oldest = client.get("/v1/models/prices/versions").json()["items"]
    ids = [oldest["run_id"], newer]
    common, turned = (
        client.get("/v1/runs/compare", params={"ids": ",".join(order)}).json()["common"]
        for order in (ids, ids[::-1])
    )
    assert common["num_rows"] == turned["num_rows"] > 0
    assert turned["values"] == common["values"][::-1]
    assert (turned["low"], turned["high"]) == (-common["high"], -common["low"])


def test_appended_rows_and_a_new_contract_change_no_answer_until_asked(story):
    """Old callers get the same answer at every step, and each step reports its effect."""
    client = story.client
    before = answered(client)
    head, *lines = csv(900, 300).splitlines()
    body = "\n".join([head, *lines[300:]]) + "\n"
    appended = client.post("/v1/datasets/listings/rows", content=body)
    assert appended.status_code == 201, appended.text
    read = appended.json()
    assert (read["version"], read["num_rows"], read["num_added"]) == (2, 900, 600)
    run = story.train(spec(features={"as": "table"}, fit={"epochs": 3, "seed": 1}))
    assert run["warnings"][-1].startswith("version 1 keeps serving, not version 2")
    assert answered(client) == before

    newest, oldest = client.get("/v1/models/prices/versions").json()["items"]
    assert oldest["changes"] is None
    assert (newest["num_rows"], newest["dataset"]["version"]) == (900, 2)
    changes = newest["changes"]
    assert (changes["against"], changes["num_rows"]) == (1, 300)
    assert changes["dataset"]["version"] == 1
    assert changes["spec"] == [{"pointer": "#/fit/epochs", "before": 2, "after": 3}]
    (change,) = changes["contract"]
    assert (change["sign"], change["breaks"]) == ("+ listing_id", True)
    assert changes["not_comparable"] == []
    assert newest["main_figure"]["metric"] == oldest["main_figure"]["metric"] == "r2"
    assert model(client)["main_figure"] == oldest["main_figure"]  # version 1 serves
    assert newest["main_figure"] != oldest["main_figure"]
    assert client.get("/v1/models/prices/versions/2").json()["changes"] == changes
    assert_compared_on_common_rows(client, [oldest["run_id"], newest["run_id"]])

    url = "/v1/models/prices/serving"
    assert_problem(client.put(url, json={"version": 2}), 409, "contract-broken")
    assert answered(client) == before
    given = {**OLD_ROW, "listing_id": 1000}
    client.put("/v1/models/prices/aliases/next", json={"version": 2})
    assert predicted(client, given, "/v1/models/prices/aliases/next/predict") == 2
    assert answered(client) == before
    client.put(url, json={"version": 2, "allow_new_contract": True})
    assert predicted(client, given) == 2
    client.post("/v1/models/prices/changes/undo")
    assert answered(client) == before


def test_a_table_in_another_notation_does_not_serve_by_itself(story):
    """Callers still send dates and decimal commas as in the first table."""
    client = story.client
    days = [f"{1 + i % 28:02}.{1 + i % 12:02}.2023" for i in range(300)]
    shown = [f"{a};{d};{p}".replace(".", ",", 1) for a, d, p in zip(AREA, days, PRICE)]  # noqa: B905
    story.upload("\n".join(["area;listed_on;price", *shown]) + "\n", "dated")
    asked = spec(dataset="dated", model_name="dated")
    assert story.train(asked)["model_version"] == 1
    row = {"area": "152,8", "listed_on": "03.04.2023"}
    path = "/v1/models/dated/predict"
    before = answered(client, row, path)
    iso = ["-".join(reversed(day.split("."))) for day in days]
    plain = [f"{a},{d},{p}" for a, d, p in zip(AREA, iso, PRICE)]  # noqa: B905
    story.upload("\n".join(["area,listed_on,price", *plain]) + "\n", "dated")
    warnings = story.train(asked)["warnings"]
    signs = "area: another notation, listed_on: another notation"
    assert f"inputs differ from version 1: {signs}" in warnings
    said = "'listed_on' was read as %d.%m.%Y, and '03.04.2023' is refused now"
    assert warnings[-1].startswith("version 1 keeps serving, not version 2")
    assert said in warnings[-1]
    assert answered(client, row, path) == before
    found = client.get("/v1/models/dated/versions/2").json()["changes"]["contract"]
    assert [c["breaks"] for c in found] == [True, True]


def test_versions_on_other_rows_or_layers_are_named(story):
    """The changes of a version name another upload, and other layers as one change."""
    client = story.client
    story.upload(csv(900, 300), "listings")
    story.train(spec(preset="small"))
    changes = client.get("/v1/models/prices/versions/2").json()["changes"]
    assert changes["not_comparable"] == ["the datasets differ"]
    pointers = [one["pointer"] for one in changes["spec"]]
    assert "#/model/layers" in pointers
    assert not [p for p in pointers if p.startswith("#/model/layers/")]
    assert changes["contract"] == []


def test_an_alias_has_its_own_contract_and_history(story):
    """A spec may move an alias, and an undo of the alias changes nothing else."""
    client = story.client
    live = "/v1/models/prices/aliases/live"
    assert client.put(live, json={"version": 1}).status_code == 200
    story.upload(csv(900, 300), "listings")
    asked = {"alias": "live", "when": {"r2": "> 2"}}
    run = story.train(spec(promotion=asked))
    assert (
        "the alias 'live' stays at version 1, not version 2: r2 > 2 is"
        in (run["warnings"][-1])
    )
    serves = "; version 2 serves requests that name no alias"
    assert run["warnings"][-1].endswith(serves)
    run = story.train(spec(promotion={**asked, "alias": "next"}))
    unset = "the alias 'next' was not set to version 3: r2 > 2 is"
    assert unset in run["warnings"][-1]
    assert model(client)["aliases"] == {"live": 1}
    assert predicted(client) == 3
    asked = {"alias": "live", "when": {"r2": ">= current"}}
    run = story.train(spec(promotion=asked))
    assert model(client)["aliases"] == {"live": 4}, run["warnings"]
    body = {"alias": "live", "reason": "too early"}
    undone = client.post("/v1/models/prices/changes/undo", json=body).json()
    assert (undone["after"], undone["why"]) == (1, "too early")
    assert predicted(client, path=live + "/predict") == 1
    assert predicted(client) == 4
    problem = client.post("/v1/models/prices/changes/undo", json={"alias": "live"})
    assert_problem(problem, 409, "nothing-to-undo")
    problem = client.post("/v1/models/prices/changes/undo", json={"alias": "x"})
    assert_problem(problem, 404, "alias-not-found")
    only = client.get("/v1/models/prices/changes?alias=live").json()["items"]
    assert [(c["before"], c["after"]) for c in only] == [(4, 1), (1, 4), (None, 1)]


def test_an_explicit_model_moves_only_by_request(story):
    """The `promotion` of a spec counts as a request; `never` moves nothing."""
    client = story.client
    rule = client.patch("/v1/models/prices", json={"promotion": "explicit"})
    assert rule.json()["promotion"] == "explicit"
    story.train(spec())
    assert predicted(client) == 1
    story.train(spec(promotion={"when": "always"}))
    assert predicted(client) == 3
    client.patch("/v1/models/prices", json={"promotion": "automatic"})
    story.train(spec(promotion={"when": "never"}))
    assert predicted(client) == 3
    answer = client.patch("/v1/models/prices", json={"promotion": "perhaps"})
    assert_problem(answer, 422, "invalid-body")


def test_a_promotion_with_an_unknown_metric_is_refused_before_training(story):
    asked = {"when": {"accuracy": "> 0.5"}}
    answer = story.client.post("/v1/runs/validate", json=spec(promotion=asked))
    (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
    assert error["pointer"] == "#/promotion/when/accuracy"


@pytest.mark.parametrize(
    ("as_", "said"),
    [
        ("version 9", "there is no version 'prices/9'"),
        ("live", "there is no alias 'live'"),
    ],
)
def test_inputs_of_an_unknown_version_are_refused(story, as_, said):
    body = spec(features={"as": as_})
    answer = story.client.post("/v1/runs/validate", json=body)
    (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
    assert error["pointer"] == "#/features/as"
    assert said in error["detail"]


def test_a_spec_may_demand_the_inputs_of_a_version(story):
    """A table without them is refused, and the resolved spec can be posted again."""
    client = story.client
    table = csv(300, 100).replace("flat", "1").replace("house", "2")
    story.upload(table, "listings")
    asked = spec(features={"as": "version 1"})
    checked = client.post("/v1/runs/validate", json=asked).json()
    assert checked["features"] == ["area", "kind"]
    assert checked["spec"]["features"]["types"] == {"kind": "categorical"}
    again = client.post("/v1/runs/validate", json=checked["spec"])
    assert again.json()["features"] == ["area", "kind"]
    other = spec(features={"as": "serving", "types": {"kind": "numeric"}})
    problem = client.post("/v1/runs/validate", json=other)
    (error,) = assert_problem(problem, 422, "invalid-spec")["errors"]
    assert error["pointer"] == "#/features/types/kind"
    story.upload(
        "area,price\n" + "".join(f"{i},{2 * i}\n" for i in range(50)), "listings"
    )
    (error,) = assert_problem(
        client.post("/v1/runs/validate", json=asked), 422, "invalid-spec"
    )["errors"]
    assert (error["pointer"], error["column"]) == ("#/features/as", "kind")
    found = client.post("/v1/runs/validate", json=spec()).json()
    assert "inputs differ from version 1: - kind" in found["warnings"]


def test_new_columns_are_left_out_unless_named(story):
    """Columns keep their types even if another would be detected; a spec may decide otherwise."""
    client = story.client
    rooms = RNG.integers(1, 6, 900)
    story.upload(csv(900, 900, rooms=rooms), "listings")
    checked = client.post("/v1/runs/validate", json=spec()).json()
    assert checked["features"] == ["area", "kind"]
    assert any("as input: 'rooms'" in w for w in checked["warnings"])
    named = spec(features={"include": ["area", "rooms"]})
    checked = client.post("/v1/runs/validate", json=named).json()
    assert checked["features"] == ["area", "rooms"]
    expected = "inputs differ from version 1: + rooms, - kind"
    assert expected in checked["warnings"]
    other = client.post("/v1/runs/validate", json=spec(model_name="new")).json()
    assert set(other["features"]) == {"area", "kind", "rooms"}
