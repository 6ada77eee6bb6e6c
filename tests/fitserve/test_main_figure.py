"""The main figure as text, the same on every surface."""

import pytest

from fitserve.enums import Task
from fitserve.main_figure import (
    best_baseline,
    best_text,
    figure_sentence,
    figure_text,
    main_metric,
)
from fitserve.schemas.report import BaselineResult, MainFigure


def figure(metric="roc_auc", value=0.871, low=0.852, high=0.891, baseline=None):
    facts = {"metric": metric, "value": value, "low": low, "high": high}
    rows = {"side": "test", "num_rows": 480, "baseline": baseline}
    return MainFigure.model_validate(facts | rows)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "ROC AUC 0.87 (0.85–0.89)"),
        ({"low": None, "high": None}, "ROC AUC 0.87"),
        ({"value": 0.998, "low": 0.9971, "high": 0.9987}, "ROC AUC 0.998 (0.997–0.999)"),
        ({"value": 0.9, "low": 0.89999, "high": 0.90001}, "ROC AUC 0.9000 (0.9000–0.9000)"),
        ({"metric": "r2", "value": -0.001, "low": -0.2, "high": 0.1}, "R² 0.00 (-0.20 to 0.10)"),
        ({"metric": "a_new_one"}, "a_new_one 0.87 (0.85–0.89)"),
    ],
)  # fmt: skip
def test_a_figure_has_its_interval_and_enough_decimals(given, text):
    """A metric of a newer service is shown by its name."""
    assert figure_text(figure(**given)) == text


def test_a_baseline_has_the_decimals_of_the_figure():
    best = {"name": "gradient_boosting", "value": 0.84321}
    assert best_text(figure(baseline=best)) == "gradient boosting 0.84"
    near = figure(value=0.998, low=0.9971, high=0.9987, baseline=best)
    assert best_text(near) == "gradient boosting 0.843"
    assert best_text(figure()) is None
    constant = {"name": "constant", "value": 0.5}
    assert best_text(figure(baseline=constant)) == "the majority class 0.50"
    assert best_text(figure("r2", baseline=constant)) == "the mean 0.50"


def test_the_sentence_of_a_figure_names_its_rows_and_the_best_baseline():
    best = {"name": "linear", "value": 0.86}
    told = figure_sentence(figure(baseline=best))
    assert told == "ROC AUC 0.87 (0.85–0.89) on 480 test rows; linear 0.86"
    alone = figure().model_copy(update={"num_rows": 1, "side": "validation"})
    assert figure_sentence(alone) == "ROC AUC 0.87 (0.85–0.89) on 1 validation row"


def test_a_figure_of_any_size_is_written_as_other_numbers():
    """MAE has the unit of the target; R² of a useless network can be huge."""
    money = figure("mae", 206_855.8234, 200_000.5, 210_000.0)
    assert figure_text(money) == "MAE 206,855.82 (200,000.5–210,000)"
    assert figure_text(figure("mae", 0.000123, None, None)) == "MAE 0.000123"
    assert figure_text(figure("r2", -12_345.678, None, None)) == "R² -12,345.68"


def result(name, **metrics):
    return BaselineResult.model_construct(name=name, metrics=metrics)


def test_the_best_baseline_is_the_best_by_the_main_metric():
    """A smaller MAE is better; a baseline without the metric does not count."""
    results = [
        result("constant", roc_auc=0.5, mae=3.0),
        result("linear", roc_auc=0.8, mae=1.0),
        result("gradient_boosting", roc_auc=None, mae=2.0),
    ]
    assert best_baseline(figure(), results).name == "linear"
    assert best_baseline(figure("mae"), results).value == 1.0
    assert best_baseline(figure("accuracy"), results) is None
    assert best_baseline(None, results) is None


def test_the_main_metric_is_the_first_of_the_task_that_is_defined():
    assert main_metric(Task.REGRESSION, {"r2": 0.1, "mae": 1.0}) == "r2"
    assert main_metric(Task.REGRESSION, {"r2": None, "mae": 1.0}) == "mae"
    assert main_metric(Task.BINARY, {"roc_auc": 0.1, "accuracy": 1.0}) == "roc_auc"
    assert main_metric(Task.MULTICLASS, {"roc_auc": 0.1, "accuracy": 1.0}) == "accuracy"
    assert main_metric(Task.BINARY, {}) is None
