"""Test that the figures of the report agree with the answers of /predict."""

import hashlib
from datetime import timedelta

import numpy as np
import pytest
from sklearn import metrics
from sqlalchemy import update

from core.database.base import utc_now
from core.runs.tables import Run
from core.settings import ReportRules
from tests.conftest import bench_in

pytestmark = pytest.mark.keras
HIDDEN = {"type": "Dense", "units": 16, "activation": "relu"}
FIT = {"epochs": 15, "seed": 1, "batch_size": 32}
RNG = np.random.default_rng(0)
A, B, NOISE = RNG.normal(size=(3, 300))
SIDES = np.array(["train"] * 150 + ["validation"] * 50 + ["test"] * 100)
TEST = SIDES == "test"


def table(target):
    rows = zip(A, B, "pq" * 150, SIDES, target, strict=True)
    return "a,b,c,side,y\n" + "".join(f"{a},{b},{c},{s},{t}\n" for a, b, c, s, t in rows)


def spec(**changes):
    return {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "report": {"baselines": False},
        "split": {"by": "column", "column": "side"},
        "model": {"layers": [HIDDEN, {"type": "Output"}]},
        "compile": {"optimizer": {"type": "Adam", "learning_rate": 0.02}},
        "fit": FIT,
        **changes,
    }


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    """Start one service for all tests of this file, with baselines."""
    home = tmp_path_factory.mktemp("figures") / "home"
    with bench_in(home, broker_url, report=ReportRules()) as bench:
        yield bench


def trained(bench, target, **changes):
    """Return the report of a run, and the predictions of its test rows."""
    bench.upload(table(target))
    run = bench.train(spec(**changes))
    assert run["status"] == "succeeded", run["error"]
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    rows = zip(A[TEST].tolist(), B[TEST].tolist(), list("pq" * 50), strict=True)
    instances = [{"a": a, "b": b, "c": c} for a, b, c in rows]
    url = f"/v1/models/{run['model_name']}/predict"
    return report, bench.client.post(url, json={"instances": instances}).json()


Y = 3 * A - B + 0.3 * NOISE


@pytest.fixture(scope="module")
def regression(bench):
    """Return a complete report, and predictions."""
    return trained(bench, Y, model_name="line", report={})


def test_a_regression_is_scored_on_the_test_rows(regression):
    """R², errors and residuals equal those computed from predictions of the API."""
    report, answer = regression
    y, predicted = Y[TEST], np.array(answer["predictions"])
    assert report["held_out"] == {
        "side": "test",
        "num_rows": 100,
        "num_scored": 100,
        "sample_weight": None,
    }
    expected = {
        "r2": metrics.r2_score(y, predicted),
        "mae": metrics.mean_absolute_error(y, predicted),
        "rmse": metrics.root_mean_squared_error(y, predicted),
        "median_absolute_error": metrics.median_absolute_error(y, predicted),
    }
    assert report["metrics"] == pytest.approx(expected, rel=1e-4)
    assert report["metrics"]["r2"] > 0.8
    assert report["training_metrics"]["r2"] > 0.8
    quantiles = report["regression"]["residual_quantiles"]
    assert [one["quantile"] for one in quantiles] == [0.05, 0.25, 0.5, 0.75, 0.95]
    for one in quantiles:
        expected = np.quantile(y - predicted, one["quantile"])
        assert one["residual"] == pytest.approx(expected, abs=1e-4)
    assert report["missing"] == []
    pairs = report["regression"]["pairs"]
    assert sorted(pairs["actual"]) == pytest.approx(sorted(y))
    assert sorted(pairs["predicted"]) == pytest.approx(sorted(predicted), abs=1e-4)
    wrong = metrics.mean_absolute_error(pairs["actual"], pairs["predicted"])
    assert wrong == pytest.approx(report["metrics"]["mae"], rel=1e-4)


def test_better_features_are_more_important(regression):
    """`a` matters three times as much as `b`, and `c` does not matter."""
    found = {f["feature"]: f["mean"] for f in regression[0]["importance"]["features"]}
    assert list(found)[:2] == ["a", "b"]
    assert found["a"] > 2 * found["b"] > 0
    assert abs(found["c"]) < 0.2 * found["b"]


def test_baselines_are_scored_on_the_same_rows(regression):
    """The data is linear: the linear model is best, and the mean explains nothing."""
    report, _ = regression
    assert report["baselines"]["status"] == "ready", report["baselines"]
    found = {b["name"]: b for b in report["baselines"]["results"]}
    assert list(found) == ["constant", "linear", "gradient_boosting"]
    assert found["linear"]["metrics"]["r2"] > 0.97
    assert found["constant"]["metrics"]["r2"] <= 0
    mean = Y[SIDES == "train"].mean()
    wrong = metrics.mean_absolute_error(Y[TEST], np.full(100, mean))
    assert found["constant"]["metrics"]["mae"] == pytest.approx(wrong)
    assert found["gradient_boosting"]["num_train_rows"] == 150
    assert found["gradient_boosting"]["note"] is None
    assert report["summary"].startswith(f"R² {report['metrics']['r2']:.2f}")
    assert " on 100 test rows; " in report["summary"]
    assert f"linear {found['linear']['metrics']['r2']:.2f}" in report["summary"]


def test_the_report_is_an_artifact(bench, regression):
    """The sha256 is recorded; version and model have its figures; a damaged file is refused."""
    report, _ = regression
    version = bench.client.get("/v1/models/line/versions/1").json()
    assert version["headline"]["metrics"] == report["metrics"]
    assert bench.client.get("/v1/models/line").json()["headline"] == version["headline"]
    assert bench.client.get("/v1/models/line/versions/1/report").json() == report
    for name in ("report.json", "baselines.json"):
        url = f"/v1/models/line/versions/1/artifacts/{name}"
        recorded = {a["name"]: a["sha256"] for a in version["artifacts"]}[name]
        assert hashlib.sha256(bench.client.get(url).content).hexdigest() == recorded
    (file,) = bench.files.rglob("baselines.json")
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"r2": ', b'"r2":1', 1))
    bench.forget_copies()
    assert bench.client.get("/v1/models/line/versions/1/report").status_code == 503
    file.write_bytes(whole)


def test_a_binary_classification_is_scored(bench):
    """Areas, losses, confusion, calibration and thresholds use the probabilities of the API."""
    labels = np.where(A + 0.7 * NOISE > 0.5, "won", "lost")
    given = {"baselines": ["gradient_boosting"]}
    report, answer = trained(bench, labels, model_name="two", report=given)
    y = labels[TEST] == "won"
    p = np.array([row["won"] for row in answer["probabilities"]])
    answered = np.array(answer["predictions"]) == "won"
    expected = {
        "accuracy": metrics.accuracy_score(y, answered),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, answered),
        "log_loss": metrics.log_loss(y, p),
        "roc_auc": metrics.roc_auc_score(y, p),
        "pr_auc": metrics.average_precision_score(y, p),
        "brier": metrics.brier_score_loss(y, p),
    }
    assert report["metrics"] == pytest.approx(expected, rel=1e-3)
    found = report["classification"]
    assert found["positive_class"] == "won"
    assert found["confusion_matrix"] == metrics.confusion_matrix(y, answered).tolist()
    for place, figures in enumerate(found["classes"]):
        is_it = answered == place
        precision = metrics.precision_score(y == place, is_it)
        assert figures["precision"] == pytest.approx(precision)
        recall = metrics.recall_score(y == place, is_it)
        assert figures["recall"] == pytest.approx(recall)
    at = {t["threshold"]: t for t in found["thresholds"]}
    assert at[0.3]["recall"] == pytest.approx(metrics.recall_score(y, p >= 0.3))
    assert at[0.3]["precision"] == pytest.approx(metrics.precision_score(y, p >= 0.3))
    assert found["best_threshold"] == max(at, key=lambda t: at[t]["f1"] or 0)
    assert sum(b["num_rows"] for b in found["calibration"]) == 100
    assert 0 <= found["expected_calibration_error"] < 0.3
    (curve,) = found["curves"]
    assert curve["label"] == "won"
    area = metrics.auc(curve["false_positive_rate"], curve["true_positive_rate"])
    assert area == pytest.approx(report["metrics"]["roc_auc"], abs=0.01)
    area = metrics.auc(curve["recall"], curve["precision"])
    assert area == pytest.approx(report["metrics"]["pr_auc"], abs=0.02)
    assert set(report["plots"]) == {
        *("confusion_matrix", "roc", "precision_recall", "calibration"),
        *("importance", "baselines"),
    }
    (baseline,) = report["baselines"]["results"]
    assert baseline["estimator"] == "HistGradientBoostingClassifier"
    assert baseline["metrics"]["roc_auc"] > 0.7


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_an_ensemble_is_scored_by_its_mean(bench, task):
    """The scores equal those of the predictions."""
    is_binary = task == "binary"
    target = np.where(Y > 0, "won", "lost") if is_binary else Y
    layers = [HIDDEN, {"type": "Output"}]
    report, answer = trained(
        bench,
        target,
        model_name=f"ensemble-{task}",
        model={"ensemble": 3, "layers": layers},
        report={"baselines": False},
    )
    assert {one["part"] for one in report["missing"]} == {"baselines"}
    if is_binary:
        p = [row["won"] for row in answer["probabilities"]]
        expected = metrics.roc_auc_score(target[TEST] == "won", p)
        assert report["metrics"]["roc_auc"] == pytest.approx(expected, rel=1e-4)
    else:
        expected = metrics.mean_absolute_error(Y[TEST], answer["predictions"])
        assert report["metrics"]["mae"] == pytest.approx(expected, rel=1e-4)
    assert report["importance"]["features"][0]["feature"] == "a"


def test_many_classes_are_scored(bench):
    """Each class is compared with all others; omitted parts are reported."""
    labels = np.array(["low", "mid", "top"])[np.digitize(A, [-0.5, 0.5])]
    off = {"baselines": False, "importance": False}
    report, answer = trained(bench, labels, model_name="three", report=off)
    names = ["low", "mid", "top"]
    p = np.array([[row[n] for n in names] for row in answer["probabilities"]])
    p /= p.sum(axis=1, keepdims=True)
    y = np.array([names.index(label) for label in labels[TEST]])
    found, answered = report["metrics"], p.argmax(axis=1)
    area = metrics.roc_auc_score(y, p, multi_class="ovr")
    assert found["roc_auc"] == pytest.approx(area, rel=1e-3)
    assert found["accuracy"] == metrics.accuracy_score(y, answered)
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(y, p), rel=1e-3)
    matrix = report["classification"]["confusion_matrix"]
    assert matrix == metrics.confusion_matrix(y, answered).tolist()
    assert report["classification"]["thresholds"] == []
    curves = report["classification"]["curves"]
    assert {curve["label"] for curve in curves} == set(names)
    assert report["baselines"]["status"] == "skipped"
    assert "report.baselines" in report["baselines"]["reason"]
    assert {m["part"] for m in report["missing"]} == {"importance", "baselines"}


def broken(*_):
    raise RuntimeError("odd")


def test_a_failed_part_affects_no_other_part(bench, monkeypatch):
    """The model serves; a constant target has a reason instead of R2, and a warning."""
    import workers.report.measure

    monkeypatch.setattr(workers.report.measure, "importances", broken)
    report, answer = trained(bench, np.where(TEST, 5.0, A))
    assert len(answer["predictions"]) == 100
    reason = "it failed (RuntimeError); see the log of the worker"
    assert {"part": "importance", "reason": reason} in report["missing"]
    assert report["metrics"]["mae"] is not None
    assert report["metrics"]["r2"] is None
    assert "same" in report["reasons"]["r2"]
    (trap,) = [t for t in report["traps"] if t["kind"] == "constant_target"]
    assert "100 test rows" in trap["sentence"]


def test_a_failed_report_fails_no_run(bench, monkeypatch):
    """Only the report is missing."""
    import workers.report.report

    monkeypatch.setattr(workers.report.report, "measure", broken)
    report, answer = trained(bench, A)
    assert len(answer["predictions"]) == 100
    assert report["status"] == "none"
    assert report["reading"]["word"]
    assert report["missing"][0]["part"] == "metrics"


def test_without_held_out_rows_the_report_says_what_to_do(bench):
    """The reading of the curve is available."""
    bench.upload(table(A))
    run = bench.train(spec(split={}, fit={**FIT, "validation_split": 0}))
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    assert report["held_out"] is None
    assert "validation_split" in report["missing"][0]["reason"]
    assert report["reading"]["numbers"]["best_val_loss"] is None


def test_missing_baselines_are_lost_after_a_minute(bench, monkeypatch):
    """The baselines are pending for a minute after the end of the run, then lost."""
    from workers.report.report import Reporter

    monkeypatch.setattr(Reporter, "add_baselines", lambda *_: None)
    report, answer = trained(bench, A, model_name="alone", report={})
    assert report["baselines"]["status"] == "pending"
    with bench.database.write() as session:
        ended = {"ended_at": utc_now() - timedelta(seconds=120)}
        session.execute(update(Run).where(Run.id == report["run_id"]).values(ended))
    report = bench.client.get(f"/v1/runs/{report['run_id']}/report").json()
    assert report["baselines"]["status"] == "lost"
    assert report["metrics"]["r2"] is not None
    assert len(answer["predictions"]) == 100


def test_a_stopping_worker_does_not_wait_for_baselines():
    """The worker checks for a stop before each baseline."""
    from workers.report.baselines import Stopped, train_baselines

    with pytest.raises(Stopped):
        train_baselines(None, None, ("constant",), 10.0, lambda: True)
