"""Baselines of a network with class weights."""

import numpy as np
import pytest

from core.settings import ReportRules
from tests.conftest import bench_in

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)
X = RNG.normal(size=600)
IS_RARE = X + RNG.normal(size=600) > 1.5


def spec(**fit):
    return {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "report": {"baselines": ["constant", "linear"]},
        "model": {"layers": [{"type": "Output"}]},
        "fit": {"epochs": 3, "seed": 1, "batch_size": 32, **fit},
    }


def test_baselines_have_the_class_weights_of_the_network(tmp_path, broker_url):
    """Without weights, the linear model hardly ever predicts the rare class."""
    with bench_in(tmp_path / "home", broker_url, report=ReportRules()) as bench:
        rows = zip(X, IS_RARE, strict=True)
        bench.upload("x,y\n" + "".join(f"{x},{'yes' if y else 'no'}\n" for x, y in rows))
        found = {}
        for weight in (None, "balanced"):
            run = bench.train(spec(class_weight=weight))
            report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
            found[weight] = {b["name"]: b for b in report["baselines"]["results"]}
    linear = {weight: results["linear"] for weight, results in found.items()}
    assert [linear[weight]["is_class_weighted"] for weight in found] == [False, True]
    plain, weighted = (linear[w]["metrics"]["balanced_accuracy"] for w in found)
    assert weighted > plain + 0.1
    constant = [results["constant"] for results in found.values()]
    assert constant[0]["metrics"] == constant[1]["metrics"]
    assert not constant[1]["is_class_weighted"]
