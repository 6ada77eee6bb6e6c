"""Test that targets of any size train equally well."""

import numpy as np
import pytest

pytestmark = pytest.mark.keras


def table(unit, offset=0.0, outliers=0):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = unit * (x @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=400)) + offset
    y[:outliers] *= 1000
    rows = "".join(f"{a},{b},{c},{t}\n" for (a, b, c), t in zip(x, y, strict=True))
    return f"a,b,c,y\n{rows}"


def share_explained(bench, name, compile_):
    run = bench.train(
        {
            "dataset": name,
            "target": "y",
            "compile": {**compile_, "metrics": ["r2_score"]},
            "model": {"layers": [{"type": "Dense", "units": 16, "activation": "relu"}, {"type": "Output"}]},
            "fit": {"epochs": 60, "seed": 1},
        }
    )  # fmt: skip
    assert run["status"] == "succeeded", run["error"]
    return run


@pytest.mark.parametrize("compile_", [
    {"optimizer": "adam", "loss": "mse"},
    {"optimizer": "adam", "loss": "mae"},
    {"optimizer": {"type": "SGD", "learning_rate": 0.05}, "loss": "mse"},
    {"optimizer": {"type": "SGD", "learning_rate": 0.05}, "loss": "mae"},
])  # fmt: skip
@pytest.mark.heavy
def test_prices_train_as_well_as_ratings(bench, compile_):
    """The rows have units of 1 and of 100,000."""
    bench.upload(table(1), "ratings")
    bench.upload(table(1e5, offset=3e5), "prices")
    ratings, prices = (share_explained(bench, n, compile_) for n in ("ratings", "prices"))
    assert ratings["metrics"]["val_r2_score"] > 0.9
    assert prices["metrics"]["val_r2_score"] > 0.9
    if compile_["loss"] == "mse":  # rounding flips the signs of mae's gradients
        ratio = prices["metrics"]["val_loss"] / ratings["metrics"]["val_loss"]
        assert ratio == pytest.approx(1e10, rel=0.05)  # in the unit of the target


def test_the_scale_is_not_visible_in_the_artifacts(bench):
    """The service answers in the target's unit with a network of the spec's layers."""
    bench.upload(table(1e5, offset=3e5), "prices")
    share_explained(bench, "prices", {"loss": "mae"})
    version = bench.client.get("/v1/models/prices/versions/1").json()
    assert [layer["type"] for layer in version["layers"]] == ["Dense", "Dense"]
    rows = {"a": [0.0, 1.0], "b": [0.0, 0.0], "c": [0.0, 0.0]}
    body = {"columns": list(rows), "data": [list(row) for row in zip(*rows.values(), strict=True)]}  # fmt: skip
    low, high = bench.client.post("/v1/models/prices/predict", json=body).json()["predictions"]  # fmt: skip
    assert low == pytest.approx(3e5, rel=0.1)
    assert high - low == pytest.approx(1e5, rel=0.3)


def test_a_few_mistyped_targets_do_not_ruin_the_fit(bench):
    """A decimal point is missing in six targets."""
    bench.upload(table(1, outliers=6), "mistyped")
    run = share_explained(bench, "mistyped", {"loss": "mae"})
    x = [[0.5, -0.5, 0.0], [-0.5, 0.5, 0.0]]
    body = {"columns": ["a", "b", "c"], "data": x}
    high, low = bench.client.post("/v1/models/mistyped/predict", json=body).json()["predictions"]  # fmt: skip
    assert run["stop_reason"] == "completed"
    assert high == pytest.approx(1.5, abs=0.5)
    assert low == pytest.approx(-1.5, abs=0.5)
