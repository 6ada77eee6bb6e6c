"""Plots by URL, drawn in a child process."""

import asyncio
import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import psutil
import pytest

from core.runs.reporting.plots import PLOTS
from service import plots
from tests.conftest import bench_in
from tests.problems import assert_problem

SPEC = {
    "dataset": "table",
    "target": "y",
    "model": {"layers": [{"type": "Output"}]},
    "fit": {"epochs": 6, "seed": 1},
}
CLASSES = {"confusion_matrix", "roc", "precision_recall", "calibration"}
NUMBERS = {"actual_vs_predicted", "residuals"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, broker_url):
    """Train one run for the tests that only read it."""
    with bench_in(tmp_path_factory.mktemp("plots") / "home", broker_url) as bench:
        rows = "".join(f"{x},{2 * x + 1}\n" for x in range(60))
        bench.upload("x,y\n" + rows)
        bench.run = bench.train(SPEC)
        yield bench


@pytest.mark.keras
def test_the_loss_plot_is_svg_and_png(trained):
    """The curves and the kept epoch are named; a run always has the same bytes."""
    client, run = trained.client, trained.run
    path = f"/v1/runs/{run['id']}/history"
    svg = client.get(f"{path}.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in svg.headers["content-security-policy"]
    assert ET.fromstring(svg.content).tag.endswith("svg")
    for text in (
        "<!-- loss -->",
        "<!-- val_loss -->",
        f"kept, epoch {run['best_epoch']}",
    ):
        assert text in svg.text
    assert client.get(f"{path}.svg").content == svg.content
    png = client.get(f"{path}.png")
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG")
    assert len(png.content) > 5000


def test_a_run_without_an_epoch_has_an_empty_plot(bench):
    bench.upload("x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n")
    run_id = bench.post(SPEC)
    assert bench.client.get(f"/v1/runs/{run_id}/history.svg").status_code == 200
    assert bench.client.get("/v1/runs/run_none/history.svg").status_code == 404


def test_a_child_that_dies_is_a_problem(client, bench, monkeypatch):
    """The problem is a 503, so that a client retries."""
    bench.upload("x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n")
    run_id = bench.post(SPEC)
    monkeypatch.setattr(plots.sys, "executable", "/bin/false")
    answer = client.get(f"/v1/runs/{run_id}/history.png")
    assert_problem(answer, 503, "plot-failed")


@pytest.mark.keras
def test_a_regression_has_its_plots(trained):
    """The report lists them; for other plots the problem says why there is none."""
    client = trained.client
    path = f"/v1/runs/{trained.run['id']}/report"
    report = client.get(path).json()
    assert set(report["plots"]) == {*NUMBERS, "importance"}
    drawn = client.get(report["plots"]["actual_vs_predicted"]).text
    pairs = report["regression"]["pairs"]
    assert len(pairs["actual"]) == report["held_out"]["num_scored"] == 12
    assert drawn.count("<use ") >= 12
    assert "<!-- table 1, 12 validation rows -->" in drawn
    assert client.get(f"{path}/residuals.png").content.startswith(b"\x89PNG")
    no = assert_problem(client.get(f"{path}/roc.svg"), 404, "plot-not-found")
    assert "binary or multiclass" in no["detail"]
    assert "`residuals`" in no["detail"]
    no = assert_problem(client.get(f"{path}/baselines.svg"), 404, "plot-not-found")
    assert "FITSERVE_REPORT__BASELINES" in no["detail"]
    no = assert_problem(client.get(f"{path}/residual.svg"), 404, "plot-not-found")
    assert "did you mean `residuals`" in no["detail"].lower()


def test_a_plot_of_an_unfinished_run_is_a_conflict(bench):
    """The problem says how to wait; an unknown run is 404."""
    bench.upload("x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n")
    path = f"/v1/runs/{bench.post(SPEC)}/report/importance.svg"
    problem = assert_problem(bench.client.get(path), 409, "report-not-ready")
    assert "?wait=30" in problem["detail"]
    unknown = bench.client.get("/v1/runs/run_none/report/roc.svg")
    assert_problem(unknown, 404, "run-not-found")


def test_every_plot_of_a_report_is_drawn():
    """Names may be one or a hundred, long, or part of a formula."""
    odd = ["$x", "_", "a" * 300, "<b>&", *map(str, range(96))]
    given = {
        "confusion_matrix": {"labels": odd, "counts": [[1] * 100] * 100},
        "roc": {
            "curves": [{"label": name, "x": [0, 1], "y": [0, 1]} for name in odd[:10]]
        },
        "precision_recall": {
            "curves": [{"label": "$x", "x": [0, 1], "y": [1, 0.5], "share": 0.5}]
        },
        "calibration": {
            "bins": [{"mean_predicted": 0.5, "share_true": 1.0, "num_rows": 3}],
            "positive_class": None,
        },
        "actual_vs_predicted": {"actual": [1.0], "predicted": [1.0]},
        "residuals": {"actual": [1e12, -1e12], "predicted": [0.0, 0.0]},
        "importance": {
            "metric": "mae",
            "features": [
                {"feature": name, "mean": 0, "deviation": 0} for name in odd[:20]
            ],
        },
        "baselines": {
            "figure": "R²",
            "metric": "r2",
            "models": [{"name": "network", "value": -3.5}],
        },
    }
    assert set(given) == set(PLOTS)
    code = (
        "import json, sys, io, warnings; warnings.simplefilter('error');"
        "from service.plotting import DRAWERS, draw;"
        "given = json.load(sys.stdin); print(sorted({*DRAWERS} - {*given}));"
        "[draw(kind, 'svg', data, io.BytesIO()) for kind, data in given.items()]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps({k: {**d, "title": "$t"} for k, d in given.items()}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "['history']"


def test_the_api_never_loads_matplotlib():
    code = "import sys, service.app, service.routes.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_child_that_takes_too_long_is_killed(client, bench, monkeypatch):
    """The request gets a problem, and no process stays."""
    bench.upload("x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n")
    run_id = bench.post(SPEC)
    monkeypatch.setattr(plots, "_SECONDS", 0.01)
    answer = client.get(f"/v1/runs/{run_id}/history.svg")
    assert_problem(answer, 503, "plot-failed")
    deadline = time.monotonic() + 30
    while _drawing() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _drawing() == []


def test_simultaneous_requests_draw_a_plot_once(monkeypatch):
    """Other runs, other formats and later requests are drawn separately."""
    drawn = []

    async def draw(*arguments):
        drawn.append(arguments)
        await asyncio.sleep(0.01)
        return b"picture"

    async def ask():
        one, other = {"epoch": [1]}, {"epoch": [2]}
        many = [plots.plot("history", "svg", one) for _ in range(20)]
        more = plots.plot("history", "svg", other), plots.plot("history", "png", one)
        bodies = {answer.body for answer in await asyncio.gather(*many, *more)}
        await plots.plot("history", "svg", one)
        return bodies

    monkeypatch.setattr(plots, "_drawn", draw)
    assert asyncio.run(ask()) == {b"picture"}
    assert len(drawn) == 4


def _drawing():
    return [p for p in psutil.Process().children() if "service.plotting" in _line(p)]


def _line(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []
