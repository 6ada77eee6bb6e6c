"""Two workers end runs of one model at once: the serving version and its history agree."""

import pytest

from tests.conftest import bench_in
from tests.servers import ENGINES, postgres_at_head
from tests.workers.test_faults import SHORT, ended, worker_of

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
INPUTS = ["x", "z"]


def rows(numbers):
    """Return rows; `listing_id` is an id as long as it does not repeat."""
    lines = [
        f"{1000 + 7 * (i % 60)},{i % 60},{i % 7},{3 * (i % 60) + i % 5}" for i in numbers
    ]
    return "\n".join(["listing_id,x,z,y", *lines]) + "\n"


@pytest.fixture(scope="module", params=ENGINES)
def bench(request, tmp_path_factory, broker_url):
    """Yield a service with two workers, a version, and an append that repeats ids."""
    home = tmp_path_factory.mktemp("two") / "home"
    given = {} if request.param == "sqlite" else {"database_url": postgres_at_head()}
    with (
        bench_in(home, broker_url, runs=SHORT, **given) as bench,
        worker_of(bench),
        worker_of(bench),
    ):
        bench.upload(rows(range(60)))
        assert ended(bench, post(bench))["model_version"] == 1
        bench.client.post("/v1/datasets/table/rows", content=rows(range(60, 200)))
        yield bench


def post(bench, meet=None, **changes):
    tags = {} if meet is None else {"meet": meet}
    return bench.post(
        {
            "dataset": "table",
            "target": "y",
            "model_name": "m",
            "preset": "linear",
            "fit": {"epochs": 2, "seed": 1},
            "tags": tags,
            **changes,
        }
    )


def get(bench, path):
    return bench.client.get(f"/v1/models/m{path}").json()


NEW_CONTRACT = {"features": {"as": "table"}}
BETTER = {"promotion": {"when": {"mae": "<= current"}}}
LIVE = {"promotion": {"alias": "live", "when": "always"}}


@pytest.mark.parametrize(
    ("meet", "first", "second"),
    [
        ("same", {}, {}),
        ("contract", {}, NEW_CONTRACT),
        ("judged", BETTER, BETTER),
        ("alias", LIVE, LIVE),
    ],
)
def test_runs_that_end_at_once_leave_one_history(bench, meet, first, second):
    """No version serves that breaks callers, and each change begins where one ended."""
    before = get(bench, "/changes")["items"]
    pair = [post(bench, meet, **first), post(bench, meet, **second)]
    runs = [ended(bench, run_id) for run_id in pair]
    assert [run["status"] for run in runs] == ["succeeded"] * 2, runs
    numbers = [version["version"] for version in get(bench, "/versions")["items"]]
    assert numbers == list(range(len(numbers), 0, -1))
    assert {run["model_version"] for run in runs} == set(numbers[:2])

    changes = get(bench, "/changes")["items"][::-1]
    assert [change["number"] for change in changes] == list(range(1, len(changes) + 1))
    now = {}
    for change in changes:
        assert change["before"] == now.get(change["alias"])
        now[change["alias"]] = change["after"]
    model = get(bench, "")
    assert model["serving_version"] == now.pop(None)
    assert model["aliases"] == now
    serving = [v["version"] for v in get(bench, "/versions")["items"] if v["serves"]]
    assert serving == [model["serving_version"]]
    assert [one["name"] for one in model["contract"]["inputs"]] == INPUTS

    moved = {change["who"] for change in changes[len(before) :]}
    for run in runs:
        stays = [text for text in run["warnings"] if "keeps serving" in text]
        assert bool(stays) == (f"run {run['id']}" not in moved), run["warnings"]
    if second is NEW_CONTRACT:
        assert f"run {pair[1]}" not in moved
