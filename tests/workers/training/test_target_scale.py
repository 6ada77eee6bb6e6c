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
                "split": {"by": "time", "column": "c"},  # equal rows in every unit
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


FAR = "x,y\n" + "".join(
    f"{i % 28 / 4},{1_000_000_000 + i % 28 / 4 - 3}\n" for i in range(140)
)


def far_run(bench, **changes):
    bench.upload(FAR)
    model = {"layers": [{"type": "Dense", "units": 16, "activation": "relu"}, {"type": "Output"}]}  # fmt: skip
    spec = {"dataset": "table", "target": "y", "model_name": "far", "model": model}
    fit = {"epochs": 100, "seed": 1, "batch_size": 8}
    return bench.train({**spec, "fit": fit, "task": "regression", **changes})


def test_a_target_far_from_zero_has_real_figures(bench):
    """A billion and a few: all digits of float32 are spent on the billion."""
    metrics = ["mae", "root_mean_squared_error", "r2_score", "mape"]
    run = far_run(bench, compile={"loss": "mse", "metrics": metrics}, split={"test": 0.1})
    found = run["metrics"]
    assert 0 < found["val_mae"] < 0.5
    assert found["val_r2_score"] > 0.9
    assert found["val_mape"] == pytest.approx(found["val_mae"] / 1e7, rel=1e-3)
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    assert report["metrics"]["mae"] == pytest.approx(found["test_mae"], rel=1e-3)
    assert report["metrics"]["r2"] > 0.9
    assert report["traps"] == []  # equal rows are on one side
    pairs = report["regression"]["pairs"]
    gaps = np.abs(np.subtract(pairs["actual"], pairs["predicted"]))
    assert 1e9 - 4 < min(pairs["actual"]) <= 1e9
    assert np.mean(gaps) == pytest.approx(found["test_mae"], rel=1e-2)


def test_every_way_to_predict_keeps_the_digits(bench, tmp_path):
    """The service, both downloads, and the datatypes that protocols announce."""
    import keras
    import onnxruntime

    number = far_run(bench)["model_version"]
    ask = bench.client.post
    native = ask("/v1/models/far/predict", json={"instances": [{"x": 0}, {"x": 6}]})
    low, high = native.json()["predictions"]
    assert [low - 1e9, high - 1e9] == pytest.approx([-3, 3], abs=0.6)
    tensor = {"name": "x", "shape": [2], "datatype": "FP64", "data": [0, 6]}
    (output,) = ask("/v2/models/far/infer", json={"inputs": [tensor]}).json()["outputs"]
    assert (output["datatype"], output["data"]) == ("FP64", [low, high])
    listed = bench.client.get("/v1/models/far/metadata").json()
    outputs = listed["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert outputs["outputs"]["output_0"]["dtype"] == "DT_DOUBLE"
    row = {"x": np.array([[0.0], [6.0]])}
    for name in ("model.onnx", "model.keras"):
        route = f"/v1/models/far/versions/{number}/artifacts/{name}"
        (tmp_path / name).write_bytes(bench.client.get(route).content)
    onnx = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, row)[0]
    loaded = keras.models.load_model(tmp_path / "model.keras")(row).numpy()
    assert onnx[:, 0].tolist() == [low, high]
    assert loaded[:, 0] == pytest.approx([low, high], abs=1e-3)


def test_a_far_target_trains_on_its_percentage(bench):
    """`mape` is of the whole value, not of its distance from the offset."""
    run = far_run(bench, compile={"loss": "mape", "metrics": ["mae"]})
    found = run["metrics"]
    assert found["loss"] == pytest.approx(found["mae"] / 1e7, rel=1e-3)


def test_an_ensemble_learns_a_far_target(bench):
    """The default network, which is a mean of members."""
    bench.upload(FAR)
    fit = {"epochs": 40, "seed": 1}
    spec = {"dataset": "table", "target": "y", "model_name": "m", "task": "regression"}
    run = bench.train({**spec, "fit": fit})
    assert 0 < run["metrics"]["val_mae"] < 1


def test_a_network_that_cannot_be_moved_is_a_warning(bench):
    """Its last layer is not linear, or its values are not standardized."""
    bench.upload(FAR)

    def warnings(**changes):
        body = {"dataset": "table", "target": "y", "task": "regression", **changes}
        said = bench.client.post("/v1/runs/validate", json=body).json()["warnings"]
        return [warning for warning in said if "seven digits" in warning]

    relu = {"layers": [{"type": "Dense", "units": 1, "activation": "relu"}]}
    assert warnings() == []
    for changes in ({"model": relu}, {"preset": "small", "features": {"standardize": False}}):  # fmt: skip
        (warning,) = warnings(**changes)
        assert "999999997 to 1000000004" in warning
