"""Real workers share their processes: between workspaces, sizes and tags of runs."""

import pytest

from tests.conftest import bench_in
from tests.workers.test_faults import (
    CSV,
    SHORT,
    at_epoch,
    ended,
    post,
    read,
    until,
    worker_of,
)

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
PATIENT = SHORT.model_copy(
    update={"requeue_after_seconds": 600.0, "give_way_after_seconds": 1.0}
)
"""The janitor sends a message again only after a run was given back."""
LONG = {"epochs": 10_000, "batch_size": 1, "validation_split": 0.5}
"""Its estimate is above a minute: 300,000 steps, with several seeds."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    home = tmp_path_factory.mktemp("t") / "home"
    limits = {"max_epochs": 1_000_000, "max_steps": 100_000_000}
    with bench_in(home, broker_url, runs=PATIENT, limits=limits) as bench:
        bench.upload(CSV)
        yield bench


def post_long(bench):
    """Post a run of an hour."""
    return post(bench, **{**LONG, "epochs": 900_000})


def cancel(bench, run_id):
    bench.client.post(f"/v1/runs/{run_id}/cancel")
    assert ended(bench, run_id)["status"] == "cancelled"


def test_a_long_run_gives_way_and_continues(bench):
    """The only process trains the small run, and then the long one from its epoch."""
    with worker_of(bench):
        long_run = post_long(bench)
        at_epoch(bench, long_run, 3)
        small = ended(bench, post(bench))
        assert small["status"] == "succeeded"
        reached = read(bench, long_run)["progress"]["epoch"]
        at_epoch(bench, long_run, reached + 3)
        history = bench.client.get(f"/v1/runs/{long_run}/history").json()
        assert history["epoch"] == list(range(1, len(history["epoch"]) + 1))
        assert read(bench, long_run)["started_at"] > small["ended_at"]
        cancel(bench, long_run)


def test_one_of_two_processes_is_free_for_small_runs(bench):
    """A second long run waits, although a process is idle; it starts after the first."""
    with worker_of(bench, FITSERVE_WORKER_PROCESSES="2"):
        first, second = post_long(bench), post_long(bench)
        at_epoch(bench, first, 1)
        for _ in range(2):
            assert ended(bench, post(bench))["status"] == "succeeded"
        assert read(bench, second)["status"] == "queued"
        assert read(bench, first)["attempt"] == 1
        cancel(bench, first)
        at_epoch(bench, second, 1)  # without a message: the process looks for itself
        cancel(bench, second)


def test_a_run_with_tags_reaches_the_worker_that_has_them(bench):
    """A worker without the tag leaves the run and its message."""
    spec = {"dataset": "table", "target": "y", "preset": "linear", "fit": {"epochs": 2}}
    refused = bench.client.post("/v1/runs", json={**spec, "worker_tags": ["gpu"]})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "#/worker_tags/0"
    with worker_of(bench), worker_of(bench, FITSERVE_WORKER_TAGS='["gpu"]'):
        plain = ended(bench, bench.post(spec))
        assert plain["status"] == "succeeded"
        until_known(bench, spec)
        misspelt = bench.client.post("/v1/runs", json={**spec, "worker_tags": ["gpus"]})
        assert "gpu" in misspelt.json()["errors"][0]["hint"]
        runs = [bench.post({**spec, "worker_tags": ["gpu"]}) for _ in range(3)]
        for run_id in runs:
            run = ended(bench, run_id)
            assert (run["status"], run["attempt"]) == ("succeeded", 1)
            assert run["spec"]["worker_tags"] == ["gpu"]


def until_known(bench, spec):
    """Wait until the service has seen the worker with the tag."""
    spec = {**spec, "worker_tags": ["gpu"]}
    until(lambda: bench.client.post("/v1/runs/validate", json=spec).status_code == 200)
