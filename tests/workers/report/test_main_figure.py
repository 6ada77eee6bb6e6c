"""The main figure of a run and a version is stored in columns when it is measured."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from core.settings import ReportRules
from tests.conftest import bench_in

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(60), 10)
X = RNG.normal(size=600)
NOISE = RNG.normal(size=60)[GROUPS] + 0.1 * RNG.normal(size=600)


def table(target, weights=None):
    weights = np.ones(600) if weights is None else weights
    rows = zip(X, GROUPS, weights, target, strict=True)
    return "x,home,w,y\n" + "".join(f"{x},h{g},{w},{t}\n" for x, g, w, t in rows)


def spec(**changes):
    layers = [{"type": "Dense", "units": 4, "activation": "relu"}, {"type": "Output"}]
    optimizer = {"type": "Adam", "learning_rate": 0.02}
    return {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "features": {"exclude": ["home", "w"]},
        "split": {"test": 0.4},
        "model": {"layers": layers},
        "compile": {"optimizer": optimizer},
        "fit": {"epochs": 10, "seed": 1, "validation_split": 0.1},
        "report": {"baselines": ["constant", "linear"], "importance": False},
        **changes,
    }


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    """Start one service for all tests of this file, with baselines."""
    home = tmp_path_factory.mktemp("main") / "home"
    with bench_in(home, broker_url, report=ReportRules()) as bench:
        bench.upload(table(2 * X + NOISE))
        yield bench


def get(bench, path):
    answer = bench.client.get(f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_surface_has_the_figure_without_its_files(bench):
    """The figure is that of the report; lists have it after all files are removed."""
    ids = [bench.train(spec(model_name="lists"))["id"] for _ in range(2)]
    report = get(bench, f"runs/{ids[1]}/report")
    figure = report["main_figure"]
    assert figure["metric"] == "r2"
    assert figure["value"] == report["metrics"]["r2"]
    assert figure["low"] < figure["value"] < figure["high"] < figure["low"] + 0.3
    assert (figure["side"], figure["num_rows"]) == ("test", 240)
    known = {one["name"]: one["metrics"]["r2"] for one in report["baselines"]["results"]}
    assert figure["baseline"] == {"name": "linear", "value": known["linear"]}
    ends = f"({figure['low']:.2f}–{figure['high']:.2f})"
    assert f"R² {figure['value']:.2f} {ends} on 240 test rows" in report["summary"]
    files = [path for path in bench.files.rglob("*") if path.is_file()]
    assert {"report.json", "baselines.json"} <= {path.name for path in files}
    for path in files:
        path.unlink()
    runs = {run["id"]: run for run in get(bench, "runs")["items"]}
    models = {model["name"]: model for model in get(bench, "models")["items"]}
    versions = get(bench, "models/lists/versions")["items"]
    compared = get(bench, f"runs/compare?ids={','.join(ids)}")["runs"]
    assert versions[0]["version"] == 2
    for shown in (runs[ids[1]], models["lists"], versions[0], compared[1]):
        assert shown["main_figure"] == figure
    bench.upload(table(2 * X + NOISE))


def test_the_file_of_the_report_has_the_interval(bench):
    """The baseline is not in the file, which is written before baselines are trained."""
    run = bench.train(spec(model_name="file"))
    stored = get(bench, "models/file/versions/1/artifacts/report.json")["main_figure"]
    absent = {"baseline": None, "baseline_title": None}
    assert stored == {**run["main_figure"], **absent}


@pytest.mark.heavy
def test_groups_that_are_split_whole_are_drawn_whole(bench, monkeypatch):
    """Rows of a home are alike, so the interval by homes is wider, also in a large table."""
    from workers.training import batches, splits

    by_group = {"by": "group", "column": "home", "test": 0.4}
    narrow = bench.train(spec())["main_figure"]
    wide = bench.train(spec(split=by_group))["main_figure"]
    assert wide["high"] - wide["low"] > 1.5 * (narrow["high"] - narrow["low"])
    for module in (splits, batches):
        monkeypatch.setattr(module, "LARGEST_IN_MEMORY", 0)
    large = bench.train(spec(split=by_group))["main_figure"]
    assert large["high"] - large["low"] > 1.5 * (narrow["high"] - narrow["low"])


def test_the_interval_is_weighted_as_the_figure_is(bench):
    """Rows with tiny weights and extreme targets hardly change it."""
    light = np.arange(600) % 2 == 0
    target = np.where(light, 30 * RNG.normal(size=600), 2 * X)
    bench.upload(table(target, np.where(light, 1e-6, 1.0)), "weighed")
    weighed = {"epochs": 30, "seed": 1, "validation_split": 0.1, "sample_weight": "w"}
    run = bench.train(spec(dataset="weighed", fit=weighed))
    figure = run["main_figure"]
    assert 0.5 < figure["low"] < figure["value"] < figure["high"] <= 1


def test_a_figure_without_an_interval_is_shown_without_one(bench):
    """The held-out rows have one class, so the figure is the accuracy."""
    sides = np.where(np.arange(600) < 400, "train", "test")
    labels = np.where((X > 0) & (sides == "train"), "yes", "no")
    rows = "".join(f"{x},{s},{t}\n" for x, s, t in zip(X, sides, labels, strict=True))
    bench.upload("x,side,y\n" + rows, "classes")
    split = {"by": "column", "column": "side"}
    run = bench.train(spec(dataset="classes", split=split, features={}))
    assert run["status"] == "succeeded"
    assert run["main_figure"]["metric"] == "accuracy"
    four = "x,side,y\n" + "".join(
        f"{x},{'test' if i < 4 else 'train'},{x + NOISE[i]}\n" for i, x in enumerate(X)
    )
    bench.upload(four, "four")
    run = bench.train(spec(dataset="four", split=split, features={}))
    assert run["main_figure"]["metric"] == "r2"
    assert (run["main_figure"]["low"], run["main_figure"]["high"]) == (None, None)


def test_nothing_held_out_has_no_figure(bench):
    run = bench.train(spec(split={}, fit={"epochs": 2, "validation_split": 0}))
    assert (run["status"], run["main_figure"]) == ("succeeded", None)


def test_baselines_of_a_deleted_version_change_nothing(bench, monkeypatch):
    """The file is deleted, and the run keeps the figure of its report."""
    from workers.report import report as module

    def deleting(*given):
        path = "/v1/models/gone"
        assert bench.client.delete(path).status_code == 204
        return train_baselines(*given)

    train_baselines = module.train_baselines
    monkeypatch.setattr(module, "train_baselines", deleting)
    run = bench.train(spec(model_name="gone"))
    assert run["main_figure"]["value"] is not None
    assert run["main_figure"]["baseline"] is None
    folder = bench.files
    assert not [path for path in folder.rglob("baselines.json") if run["id"] in str(path)]


KILLED = """
import os, signal, sys
from core.database.sessions import Database
from core.runs.tables import Run
from core.settings import Settings
from core.storage import open_storage
from workers.run_executor import RunExecutor

settings, run_id = Settings(), sys.argv[1]
database = Database(settings.resolved_database_url)

def is_stopping():
    with database.read() as session:
        has_ended = session.get_one(Run, run_id).ended_at is not None
    if has_ended:
        os.kill(os.getpid(), signal.SIGKILL)
    return False

storage = open_storage(settings)
RunExecutor(settings, database, storage, "killed", is_stopping).execute(run_id)
"""


@pytest.mark.heavy
def test_a_kill_before_the_baselines_leaves_a_whole_run(bench):
    """Run and version have the figure and its interval, without a baseline."""
    run_id = bench.post(spec(model_name="killed"))
    command = [sys.executable, "-c", KILLED, run_id]
    assert subprocess.run(command, env=bench.environment, check=False).returncode == (
        -signal.SIGKILL
    )
    run = get(bench, f"runs/{run_id}")
    assert run["status"] == "succeeded"
    figure = run["main_figure"]
    assert figure["low"] < figure["value"] < figure["high"]
    assert figure["baseline"] is None
    assert get(bench, "models/killed")["main_figure"] == figure
    report = get(bench, f"runs/{run_id}/report")
    assert (report["status"], report["main_figure"]) == ("ready", figure)
    assert report["baselines"]["status"] == "pending"
