"""`runs compare` shows the figures of runs, and where their specs differ."""

import re

from tests.fitserve.client import bodies


def test_runs_are_compared_in_a_table(wire, fitserve):
    """The table has one column per run; warnings go to stderr."""
    runs = [
        {**bodies.run(), "id": f"run_{i}", "fit_seconds": 1.0, "headline": None}
        for i in (1, 2)
    ]
    body = {
        "runs": runs,
        "epoch": [1],
        "curves": {"loss": [[1.0], [2.0]]},
        "differences": [{"pointer": "#/fit/epochs", "values": [5, 7]}],
        "warnings": ["the losses differ"],
    }
    wire.answers("GET /v1/runs/compare", body)
    done = fitserve("runs", "compare", "run_1", "run_2")
    assert done.exit_code == 0, done.stderr
    assert wire.asked[-1].query == {"ids": "run_1,run_2"}
    assert done.stderr == "the losses differ\n"
    assert done.stdout.splitlines()[0].split() == ["run_1", "run_2"]
    assert done.stdout.splitlines()[-1].split() == ["#/fit/epochs", "5", "7"]
    common = {"metric": "r2", "side": "test", "num_rows": 60, "values": [0.5, 0.75]}
    common |= {"low": 0.125, "high": 0.375}
    wire.answers("GET /v1/runs/compare", {**body, "common": common})
    done = fitserve("runs", "compare", "run_1", "run_2")
    rows = [re.split(" {2,}", line.strip()) for line in done.stdout.splitlines()]
    assert ["R² on 60 common test rows", "0.5", "0.75"] in rows
    difference = "0.25 (0.125 to 0.375): better"
    assert ["difference (95 % interval)", "-", difference] in rows


def test_a_comparison_shows_figures_and_the_parts_that_differ(wire, fitserve):
    """Properties that are equal, and keys that change no figure, have no row."""
    headline = {"side": "test", "num_rows": 9, "metrics": {"r2": 0.84, "mae": 0.25}}
    known = {
        "fit_seconds": 1.0,
        "headline": headline,
        "main_figure": bodies.main_figure(),
    }
    runs = [{**bodies.run(), "id": f"run_{i}", **known} for i in (1, 2)]
    runs[1]["num_params"] = 17
    body = {
        "runs": runs,
        "epoch": [],
        "curves": {},
        "differences": [{"pointer": "#/tags/a", "values": [None, "b"]}],
        "different_parts": [{"part": "optimizer", "texts": ["Adam", "SGD"]}],
        "warnings": [],
    }
    wire.answers("GET /v1/runs/compare", body)
    rows = fitserve("runs", "compare", "run_1", "run_2").stdout.splitlines()
    heads = [row[:13].strip() for row in rows]
    assert heads == [
        *("", "model", "main figure", "best baseline", "MAE", "val_loss"),
        *("parameters", "optimizer"),
    ]
    assert rows[-2].split() == ["parameters", "9", "17"]
    assert rows[-1].split() == ["optimizer", "Adam", "SGD"]


def test_a_comparison_fits_into_100_columns(wire, fitserve):
    """The ids of three runs stay whole; the labels and the texts wrap."""
    figure = bodies.main_figure()
    known = {"fit_seconds": 1.0, "headline": None, "main_figure": figure}
    ids = [f"run_1a22f2cc5aa3e79b6afc{i}" for i in range(3)]
    network = "Dense 64 relu → Dense 64 relu → Dense 1 sigmoid"
    parts = [
        {"part": "learning rate schedule", "texts": ["none", "CosineDecay", "none"]},
        {"part": "network", "texts": [network, "Dense 1 sigmoid", network]},
    ]
    body = {"epoch": [], "curves": {}, "differences": [], "warnings": []}
    body |= {"runs": [{**bodies.run(), "id": one, **known} for one in ids]}
    wire.answers("GET /v1/runs/compare", {**body, "different_parts": parts})
    lines = fitserve("runs", "compare", *ids).stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0].split() == ids
