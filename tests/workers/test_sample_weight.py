"""Sample weights weigh a run as `keras.Model.fit(sample_weight=…)` weighs a fit."""

import numpy as np
import pytest
from sklearn import metrics

from core.settings import ReportRules
from tests.conftest import bench_in
from tests.problems import assert_problem

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)
A, B, NOISE = RNG.normal(size=(3, 90))
SIDES = np.array(["train"] * 61 + ["validation"] * 29)
TRAIN = SIDES == "train"
WEIGHTS = np.round(RNG.uniform(0, 4, 90), 3) * (RNG.random(90) > 0.2)
Y = np.where(WEIGHTS > 1.5, 2 * A - B, B) + 0.1 * NOISE
Y[~TRAIN & (WEIGHTS > 1.5)] *= -1
LABELS = np.where(A + NOISE > 0.4, "yes", "no")
ZEROS = {"kernel_initializer": "zeros", "bias_initializer": "zeros"}
EPOCHS = 6


def csv(target, weights=WEIGHTS):
    rows = zip(A, B, SIDES, weights, target, strict=True)
    return "a,b,side,w,y\n" + "".join(f"{a},{b},{s},{w},{y}\n" for a, b, s, w, y in rows)


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    home = tmp_path_factory.mktemp("weights") / "home"
    with bench_in(home, broker_url, report=ReportRules()) as bench:
        bench.upload(csv(Y), "numbers")
        bench.upload(csv(LABELS), "words")
        yield bench


def spec(table="numbers", metric="mae", activation="linear", **changes):
    """One layer without scaling, which begins with zeros: its history has no chance."""
    fit = changes.pop("fit", {})
    return {
        "dataset": table,
        "target": "y",
        "model_name": table,
        "features": {"standardize": False},
        "split": {"by": "column", "column": "side"},
        "model": {"layers": [{"type": "Dense", "units": 1, "activation": activation, **ZEROS}]},
        "compile": {
            "optimizer": {"type": "SGD", "learning_rate": 0.1},
            "metrics": [metric],
            "weighted_metrics": [metric],
        },
        "fit": {"epochs": EPOCHS, "seed": 1, "batch_size": 16, "shuffle": False, "sample_weight": "w", **fit},
        "report": {"baselines": False, "importance": False},
        **changes,
    }  # fmt: skip


def by_keras(target, loss, metric, activation, training_weights, callbacks=()):
    """The history of Keras for the same fit, and the trained model."""
    import keras

    dense = keras.layers.Dense(1, activation=activation, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((2,)), dense])
    model.compile(
        keras.optimizers.SGD(0.1), loss, metrics=[metric], weighted_metrics=[metric]
    )
    x = np.stack([A, B], axis=1)
    history = model.fit(
        x[TRAIN],
        target[TRAIN],
        batch_size=16,
        epochs=EPOCHS,
        shuffle=False,
        sample_weight=training_weights,
        validation_data=(x[~TRAIN], target[~TRAIN], WEIGHTS[~TRAIN]),
        callbacks=list(callbacks),
        verbose=0,
    ).history
    return model, history


def history(bench, run):
    assert run["status"] == "succeeded", run["error"]
    return bench.client.get(f"/v1/runs/{run['id']}/history").json()["history"]


def assert_same(ours, kerass):
    assert set(ours) == set(kerass)
    for name, values in kerass.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("way", ["memory", "streamed", "two seeds"])
def test_a_regression_is_weighed_as_kerass(bench, monkeypatch, way):
    """Loss and weighted metrics of both sides, and the metric without weights."""
    from workers.training import batches, splits

    if way == "streamed":
        monkeypatch.setattr(splits, "LARGEST_IN_MEMORY", 0)
        monkeypatch.setattr(batches, "LARGEST_IN_MEMORY", 0)
        monkeypatch.setattr(batches, "_BLOCK_BYTES", 300)
    seeds = 2 if way == "two seeds" else 1
    run = bench.train(spec(fit={"num_seeds": seeds}))
    _, expected = by_keras(Y, "mse", "mae", "linear", WEIGHTS[TRAIN])
    assert set(expected) == {
        *("loss", "mae", "weighted_mae", "val_loss", "val_mae", "val_weighted_mae")
    }
    assert_same(history(bench, run), {k: v * seeds for k, v in expected.items()})
    assert run["metrics"]["val_loss"] == pytest.approx(expected["val_loss"][-1], rel=1e-4)


@pytest.mark.parametrize("class_weight", [None, {"yes": 5.0, "no": 0.5}, "balanced"])
def test_class_weights_multiply_in_training_only(bench, class_weight):
    """Keras refuses both at once; its sample weights are then their product."""
    given = spec("words", "accuracy", "sigmoid", fit={"class_weight": class_weight})
    run = bench.train(given)
    is_yes = (LABELS == "yes").astype(float)
    by_class = np.ones(2)
    if class_weight == "balanced":
        by_class = TRAIN.sum() / (2 * np.bincount(is_yes[TRAIN].astype(int)))
    elif class_weight is not None:
        by_class = np.array([class_weight["no"], class_weight["yes"]])
    weights = WEIGHTS[TRAIN] * by_class[is_yes[TRAIN].astype(int)]
    _, expected = by_keras(is_yes, "binary_crossentropy", "accuracy", "sigmoid", weights)
    assert_same(history(bench, run), expected)


def test_early_stopping_uses_the_weighted_loss(bench):
    """It stops where Keras stops with the same weights."""
    import keras

    stop = {"patience": 1, "restore_best_weights": True}
    run = bench.train(spec(fit={"early_stopping": stop}))
    early = keras.callbacks.EarlyStopping(**stop)
    _, expected = by_keras(Y, "mse", "mae", "linear", WEIGHTS[TRAIN], [early])
    assert_same(history(bench, run), expected)
    assert run["progress"]["epoch"] == len(expected["loss"]) < EPOCHS
    assert run["best_epoch"] == early.best_epoch + 1


@pytest.mark.parametrize("monitor", ["val_weighted_mae", "weighted_mae"])
def test_a_weighted_metric_can_be_monitored(bench, monitor):
    """By its name in the history; smaller is better, as for the metric without weights."""
    stop = {"monitor": monitor, "patience": 50, "restore_best_weights": True}
    run = bench.train(spec(fit={"early_stopping": stop}))
    values = history(bench, run)[monitor]
    assert run["best_epoch"] == values.index(min(values)) + 1


def held_out(bench, run):
    """The report, and the held-out rows' weights and answers."""
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    rows = zip(A[~TRAIN].tolist(), B[~TRAIN].tolist(), strict=True)
    body = {"instances": [{"a": a, "b": b} for a, b in rows]}
    number = run["model_version"]
    url = f"/v1/models/{run['model_name']}/versions/{number}/predict"
    return report, WEIGHTS[~TRAIN], bench.client.post(url, json=body).json()


def test_the_report_of_a_regression_is_weighted(bench):
    """Its figures are scikit-learn's with sample_weight, and it says so."""
    wishes = {"baselines": True, "importance": True}
    run = bench.train(spec(report=wishes))
    report, w, answer = held_out(bench, run)
    given = (Y[~TRAIN], np.array(answer["predictions"]))
    expected = {
        "r2": metrics.r2_score(*given, sample_weight=w),
        "mae": metrics.mean_absolute_error(*given, sample_weight=w),
        "rmse": metrics.root_mean_squared_error(*given, sample_weight=w),
        "median_absolute_error": metrics.median_absolute_error(*given, sample_weight=w),
    }
    assert report["metrics"] == pytest.approx(expected, rel=1e-4)
    assert report["held_out"] == {
        "side": "validation",
        "num_rows": 29,
        "num_scored": int((w > 0).sum()),
        "sample_weight": "w",
    }
    assert "rows, weighted by 'w'" in report["summary"]
    mean = np.average(Y[TRAIN], weights=WEIGHTS[TRAIN])
    constant = {r["name"]: r["metrics"] for r in report["baselines"]["results"]}[
        "constant"
    ]
    error = metrics.mean_absolute_error(given[0], np.full(29, mean), sample_weight=w)
    assert constant["mae"] == pytest.approx(error)
    loss = history(bench, run)["val_loss"][-1] * 29 / w.sum()
    assert report["metrics"]["rmse"] ** 2 == pytest.approx(loss, rel=1e-4)
    assert "w" not in [one["feature"] for one in report["importance"]["features"]]
    described = bench.client.get("/v1/models/numbers").json()
    assert described["headline"]["metrics"] == report["metrics"]


def test_the_report_of_classes_is_weighted(bench):
    """Rates, areas and calibration; numbers of rows count rows."""
    run = bench.train(spec("words", "accuracy", "sigmoid"))
    report, w, answer = held_out(bench, run)
    y = LABELS[~TRAIN] == "yes"
    p = np.array([row["yes"] for row in answer["probabilities"]])
    is_yes, weighed = p >= 0.5, {"sample_weight": w}
    expected = {
        "accuracy": metrics.accuracy_score(y, is_yes, **weighed),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, is_yes, **weighed),
        "log_loss": metrics.log_loss(y, p, **weighed),
        "roc_auc": metrics.roc_auc_score(y, p, **weighed),
        "pr_auc": metrics.average_precision_score(y, p, **weighed),
        "brier": metrics.brier_score_loss(y, p, **weighed),
    }
    assert report["metrics"] == pytest.approx(expected, rel=1e-4)
    figures = report["classification"]
    precision = metrics.precision_score(y, is_yes, **weighed)
    assert figures["classes"][1]["precision"] == pytest.approx(precision)
    assert np.sum(figures["confusion_matrix"]) == (w > 0).sum()
    recall = {one["threshold"]: one["recall"] for one in figures["thresholds"]}[0.3]
    assert recall == pytest.approx(metrics.recall_score(y, p >= 0.3, **weighed))
    share = np.average(y, weights=w)
    assert figures["curves"][0]["precision"][-1] == pytest.approx(share, abs=1e-5)


def test_a_promotion_scores_with_weights(bench):
    """Its figures are those of the report."""
    run = bench.train(spec())
    report, *_ = held_out(bench, run)
    url = "/v1/models/numbers/aliases/live"
    body = {"version": run["model_version"], "require": {"mae": "< 0"}}
    problem = assert_problem(bench.client.put(url, json=body), 409, "requirement-not-met")
    assert f"has {report['metrics']['mae']:.6g}"[:9] in problem["detail"]


def test_a_validation_dataset_has_its_own_weights(bench):
    """The column must be there, and its weights weigh `val_loss`."""
    heavy = np.where(TRAIN, 0.0, WEIGHTS)
    bench.upload(csv(Y, heavy), "held")
    split = {"by": "random"}
    fit = {"validation_dataset": "held", "epochs": 1}
    run = bench.train(spec(split=split, fit=fit))
    assert run["num_rows"] == {"train": 90, "validation": 90}
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    assert report["held_out"]["num_scored"] == (heavy > 0).sum()
    loss = report["metrics"]["rmse"] ** 2 * heavy.sum() / 90
    assert history(bench, run)["val_loss"] == pytest.approx([loss], rel=1e-4)
    bench.upload(csv(Y).replace("side,w,y", "side,v,y"), "without")
    bad = spec(split=split, fit={"validation_dataset": "without"})
    (error,) = assert_problem(
        bench.client.post("/v1/runs", json=bad), 422, "invalid-spec"
    )["errors"]
    assert error["pointer"] == "#/fit/validation_dataset"
    assert "lacks the column(s) ['w']" in error["detail"]
    bench.upload(csv(Y, -WEIGHTS), "negative")
    bad = spec(split=split, fit={"validation_dataset": "negative"})
    (error,) = assert_problem(
        bench.client.post("/v1/runs", json=bad), 422, "invalid-spec"
    )["errors"]
    assert "of 'negative' are negative, such as -" in error["detail"]


def test_the_column_is_no_feature_and_may_be_missing_in_instances(bench):
    """The run says why; an instance may have it, without effect."""
    given = spec()
    read = bench.client.post("/v1/runs/validate", json=given).json()
    assert read["features"] == ["a", "b"]
    assert read["excluded"]["w"] == "it is the sample weight"
    assert read["spec"]["fit"]["sample_weight"] == "w"
    assert read["spec"]["compile"]["weighted_metrics"] == ["mae"]
    number = bench.train(given)["model_version"]
    url = f"/v1/models/numbers/versions/{number}/predict"
    rows = [{"a": 1, "b": 2}, {"a": 1, "b": 2, "w": 9}]
    first, second = bench.client.post(url, json={"instances": rows}).json()["predictions"]
    assert first == second
