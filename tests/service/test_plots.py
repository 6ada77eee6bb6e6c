"""Pictures by URL, drawn outside the API's process."""

import asyncio
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import psutil
import pytest

from service import plots
from tests.problems import assert_problem

SPEC = {
    "dataset": "table",
    "target": "y",
    "model": {"layers": [{"type": "Output"}]},
    "fit": {"epochs": 6, "seed": 1},
}


@pytest.fixture
def run(bench):
    rows = "".join(f"{x},{2 * x + 1}\n" for x in range(60))
    bench.upload("x,y\n" + rows)
    return bench.train(SPEC)


@pytest.mark.keras
def test_the_loss_plot_is_a_drawing_and_a_picture(client, run):
    """The curves and the kept epoch by name; the same run gives the same bytes."""
    path = f"/v1/runs/{run['id']}/history"
    svg = client.get(f"{path}.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in svg.headers["content-security-policy"]
    assert ET.fromstring(svg.content).tag.endswith("svg")
    for said in (
        "<!-- loss -->",
        "<!-- val_loss -->",
        f"best, epoch {run['best_epoch']}",
    ):
        assert said in svg.text
    assert client.get(f"{path}.svg").content == svg.content
    png = client.get(f"{path}.png")
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG")
    assert len(png.content) > 5000


def test_a_run_without_an_epoch_has_an_empty_plot(bench):
    """It is queued."""
    bench.upload("x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n")
    run_id = bench.post(SPEC)
    assert bench.client.get(f"/v1/runs/{run_id}/history.svg").status_code == 200
    assert bench.client.get("/v1/runs/run_none/history.svg").status_code == 404


def test_a_child_that_dies_is_a_problem(client, bench, monkeypatch):
    """Told as one that another try may mend."""
    bench.upload("x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n")
    run_id = bench.post(SPEC)
    monkeypatch.setattr(plots.sys, "executable", "/bin/false")
    answer = client.get(f"/v1/runs/{run_id}/history.png")
    assert_problem(answer, 503, "plot-failed")


def test_the_api_never_loads_matplotlib():
    """Neither to build itself nor to draw."""
    code = "import sys, service.app, service.routes.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_child_that_takes_too_long_is_killed(client, bench, monkeypatch):
    """The request is told; no process stays behind."""
    bench.upload("x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n")
    run_id = bench.post(SPEC)
    monkeypatch.setattr(plots, "_SECONDS", 0.01)
    answer = client.get(f"/v1/runs/{run_id}/history.svg")
    assert_problem(answer, 503, "plot-failed")
    deadline = time.monotonic() + 30
    while _drawing() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _drawing() == []


def test_what_many_ask_for_at_once_is_drawn_once(monkeypatch):
    """Another run's, or another form, is a picture of its own; later it is drawn anew."""
    drawn = []

    async def draw(*asked):
        drawn.append(asked)
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
