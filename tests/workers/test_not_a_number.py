"""Test that NaN and infinity are null in either database and in JSON."""

import json

import pytest

from tests.conftest import bench_in

pytestmark = pytest.mark.keras
CSV = "x,z,y\n" + "".join(f"{i},{i % 7},{3 * i + 1}\n" for i in range(60))
SPEC = {
    "dataset": "table",
    "target": "y",
    "model_name": "m",
    "model": {"layers": [{"type": "Dense", "units": 4}, {"type": "Dense", "units": 1}]},
}


@pytest.fixture
def bench(tmp_path, broker_url, database_url):
    home = tmp_path / "home"
    with bench_in(home, broker_url, database_url=database_url) as bench:
        bench.upload(CSV)
        yield bench


def strictly(bench, path):
    """Return the body parsed as strict JSON, without NaN and Infinity."""
    answer = bench.client.get(path)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_constant=pytest.fail)


def test_a_diverging_run_fails_and_keeps_its_history(bench):
    """The run fails by nan_loss after some epochs; the last loss is null."""
    sgd = {"type": "SGD", "learning_rate": 30.0}
    compiled = {"optimizer": sgd, "loss": "mse"}
    run = bench.train(SPEC | {"compile": compiled, "fit": {"epochs": 50, "seed": 1}})
    assert (run["status"], run["stop_reason"]) == ("failed", "nan_loss")
    assert strictly(bench, f"/v1/runs/{run['id']}") == run
    assert strictly(bench, "/v1/runs")["items"][0] == run
    history = strictly(bench, f"/v1/runs/{run['id']}/history")
    assert history["epoch"] == list(range(1, run["progress"]["epoch"] + 1))
    assert history["history"]["loss"][-1] is None
    assert None not in history["history"]["loss"][:-1]


def test_a_metric_without_a_number_fails_no_run(bench):
    """One extreme validation row makes val_loss infinite, and the run succeeds."""
    bench.upload("x,z,y\n1e30,2,3\n", name="far")
    compiled = {"optimizer": "adam", "loss": "mse"}
    fit = {"epochs": 2, "seed": 1, "validation_dataset": "far"}
    run = bench.train(SPEC | {"compile": compiled, "fit": fit})
    assert run["status"] == "succeeded", run["error"]
    assert strictly(bench, f"/v1/runs/{run['id']}")["metrics"]["val_loss"] is None
    version = strictly(bench, "/v1/models/m/versions/1")
    assert version["metrics"]["val_loss"] is None
    history = strictly(bench, f"/v1/runs/{run['id']}/history")
    assert history["history"]["val_loss"] == [None, None]
