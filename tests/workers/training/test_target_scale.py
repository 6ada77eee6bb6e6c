"""Targets of any size train alike."""

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
    """The same rows in units of one and of a hundred thousand."""
    bench.upload(table(1), "ratings")
    bench.upload(table(1e5, offset=3e5), "prices")
    ratings, prices = (share_explained(bench, n, compile_) for n in ("ratings", "prices"))
    assert ratings["metrics"]["val_r2_score"] > 0.9
    assert prices["metrics"]["val_r2_score"] > 0.9
    if compile_["loss"] == "mse":  # the signs of mae's gradients flip by rounding
        ratio = prices["metrics"]["val_loss"] / ratings["metrics"]["val_loss"]
        assert ratio == pytest.approx(1e10, rel=0.05)  # told in the target's own unit


def test_nothing_of_the_scale_is_left_in_the_artifacts(bench):
    """The service answers in the target's unit from a network of the spec's layers."""
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
    """A lost decimal point in six rows of the target."""
    bench.upload(table(1, outliers=6), "mistyped")
    run = share_explained(bench, "mistyped", {"loss": "mae"})
    x = [[0.5, -0.5, 0.0], [-0.5, 0.5, 0.0]]
    body = {"columns": ["a", "b", "c"], "data": x}
    high, low = bench.client.post("/v1/models/mistyped/predict", json=body).json()["predictions"]  # fmt: skip
    assert run["stop_reason"] == "completed"
    assert high == pytest.approx(1.5, abs=0.5)
    assert low == pytest.approx(-1.5, abs=0.5)


FAR = "x,y\n" + "".join(f"{i % 7},{1_000_000_000 + i % 7 - 3}\n" for i in range(140))


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
    assert {trap["kind"] for trap in report["traps"]} == {"duplicates"}
    pairs = report["regression"]["pairs"]
    gaps = np.abs(np.subtract(pairs["actual"], pairs["predicted"]))
    assert 1e9 - 4 < min(pairs["actual"]) <= 1e9
    assert np.mean(gaps) == pytest.approx(found["test_mae"], rel=1e-2)


def test_every_way_to_predict_keeps_the_digits(bench, tmp_path):
    """The service, both downloads, and the datatypes that protocols announce."""
    import keras
    import onnxruntime

    far_run(bench)
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
        route = f"/v1/models/far/versions/1/artifacts/{name}"
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
        assert "999999997 to 1000000003" in warning
