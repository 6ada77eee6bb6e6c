"""Test that targets of any size train equally well."""

from functools import cache

import numpy as np
import pytest

from tests.conftest import bench_in

pytestmark = pytest.mark.keras


def table(unit, offset=0.0, outliers=0):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = unit * (x @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=400)) + offset
    y[:outliers] *= 1000
    rows = "".join(f"{a},{b},{c},{t}\n" for (a, b, c), t in zip(x, y, strict=True))
    return f"a,b,c,y\n{rows}"


OPTIMIZERS = {"adam": "adam", "sgd": {"type": "SGD", "learning_rate": 0.05}}
TABLES = {
    "ratings": table(1),
    "prices": table(1e5, offset=3e5),
    "mistyped": table(1, outliers=6),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    with bench_in(tmp_path_factory.mktemp("scale") / "home", broker_url) as bench:
        for name, csv in TABLES.items():
            bench.upload(csv, name)
        yield bench


@pytest.fixture(scope="module")
def trained(bench):
    """Return a function that trains each combination once and returns its run."""

    @cache
    def train(name, loss, optimizer):
        run = bench.train(
            {
                "dataset": name,
                "target": "y",
                "model_name": f"{name}-{loss}-{optimizer}",
                "compile": {"loss": loss, "optimizer": OPTIMIZERS[optimizer], "metrics": ["r2_score"]},
                "model": {"layers": [{"type": "Dense", "units": 16, "activation": "relu"}, {"type": "Output"}]},
                "fit": {"epochs": 60, "seed": 1},
            }
        )  # fmt: skip
        assert run["status"] == "succeeded", run["error"]
        return run

    return train


@pytest.mark.heavy
@pytest.mark.parametrize("loss", ["mse", "mae"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_prices_train_as_well_as_ratings(trained, loss, optimizer):
    """The rows have units of 1 and of 100,000."""
    ratings, prices = (trained(name, loss, optimizer) for name in ("ratings", "prices"))
    assert ratings["metrics"]["val_r2_score"] > 0.9
    assert prices["metrics"]["val_r2_score"] > 0.9
    if loss == "mse":  # rounding flips the signs of mae's gradients
        ratio = prices["metrics"]["val_loss"] / ratings["metrics"]["val_loss"]
        assert ratio == pytest.approx(1e10, rel=0.05)  # in the unit of the target


def test_the_scale_is_not_visible_in_the_artifacts(bench, trained):
    """The service answers in the target's unit with a network of the spec's layers."""
    path = f"/v1/models/{trained('prices', 'mae', 'adam')['model_name']}"
    version = bench.client.get(f"{path}/versions/1").json()
    assert [layer["type"] for layer in version["layers"]] == ["Dense", "Dense"]
    rows = {"a": [0.0, 1.0], "b": [0.0, 0.0], "c": [0.0, 0.0]}
    body = {"columns": list(rows), "data": [list(row) for row in zip(*rows.values(), strict=True)]}  # fmt: skip
    low, high = bench.client.post(f"{path}/predict", json=body).json()["predictions"]  # fmt: skip
    assert low == pytest.approx(3e5, rel=0.1)
    assert high - low == pytest.approx(1e5, rel=0.3)


def test_a_few_mistyped_targets_do_not_ruin_the_fit(bench, trained):
    """A decimal point is missing in six targets."""
    run = trained("mistyped", "mae", "adam")
    x = [[0.5, -0.5, 0.0], [-0.5, 0.5, 0.0]]
    body = {"columns": ["a", "b", "c"], "data": x}
    high, low = bench.client.post(f"/v1/models/{run['model_name']}/predict", json=body).json()["predictions"]  # fmt: skip
    assert run["stop_reason"] == "completed"
    assert high == pytest.approx(1.5, abs=0.5)
    assert low == pytest.approx(-1.5, abs=0.5)
