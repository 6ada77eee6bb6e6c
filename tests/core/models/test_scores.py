"""The figures that a promotion can require equal those of scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from core.errors import InvalidRequirement
from core.models.requirements import parse
from core.models.scores import CLASSIFICATION, REGRESSION, score
from fitserve.enums import Task

RNG = np.random.default_rng(0)
Y = RNG.normal(size=200)
PREDICTED = Y + 0.5 * RNG.normal(size=200)


def probabilities(classes, ties):
    """Return probabilities for 200 rows; with `ties` many of them are equal eighths."""
    drawn = RNG.dirichlet(np.ones(classes), 200)
    return RNG.multinomial(8, drawn) / 8 if ties else drawn


def test_scores_of_values():
    expected = {
        "r2": metrics.r2_score(Y, PREDICTED),
        "mae": metrics.mean_absolute_error(Y, PREDICTED),
        "rmse": metrics.root_mean_squared_error(Y, PREDICTED),
    }
    found = {name: score(Task.REGRESSION, name, Y, PREDICTED) for name in REGRESSION}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_scores_of_two_classes(ties):
    """The scores are right even if many probabilities are equal."""
    p = probabilities(2, ties)
    y = (RNG.random(200) < 0.5 * p[:, 1] + 0.2).astype(int)
    labels, one = p.argmax(axis=1), p[:, 1]
    expected = {
        "accuracy": metrics.accuracy_score(y, labels),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, labels),
        "log_loss": metrics.log_loss(y, p),
        "roc_auc": metrics.roc_auc_score(y, one),
        "pr_auc": metrics.average_precision_score(y, one),
        "brier": metrics.brier_score_loss(y, one),
    }
    found = {n: score(Task.BINARY, n, y.astype(float), p) for n in CLASSIFICATION}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("ties", [False, True])
def test_scores_of_three_classes(ties):
    """An area is the mean over each class against the others."""
    p = probabilities(3, ties)
    y = np.array([RNG.choice(3, p=0.6 * row + 0.4 / 3) for row in p])
    hot = np.eye(3)[y]
    expected = {
        "accuracy": metrics.accuracy_score(y, p.argmax(axis=1)),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, p.argmax(axis=1)),
        "log_loss": metrics.log_loss(y, p),
        "roc_auc": metrics.roc_auc_score(y, p, multi_class="ovr"),
        "pr_auc": metrics.average_precision_score(hot, p),
        "brier": metrics.brier_score_loss(y, p),
    }
    found = {n: score(Task.MULTICLASS, n, y.astype(float), p) for n in CLASSIFICATION}
    assert found == pytest.approx(expected)


def test_an_undefined_score_is_none():
    """A score is undefined for one class, a constant target, or NaN predictions."""
    p = probabilities(2, ties=False)
    assert score(Task.BINARY, "roc_auc", np.zeros(200), p) is None
    assert score(Task.REGRESSION, "r2", np.ones(200), PREDICTED) is None
    assert score(Task.REGRESSION, "mae", Y, PREDICTED * np.nan) is None


@pytest.mark.parametrize(
    ("text", "figure", "is_met"),
    [
        (" < 0.5 ", 0.4, True), ("<0.5", 0.5, False), ("<= 0.5", 0.5, True),
        (">= -1.5", -1.6, False), (">= 0.9", None, False), ("> 0.9", 1, True),
    ],
)  # fmt: skip
def test_a_figure_meets_a_number_or_does_not(text, figure, is_met):
    """An undefined figure never meets a requirement."""
    (required,) = parse({"r2": text}, Task.REGRESSION)
    assert required.is_met_by_figure(figure) is is_met
    assert not required.is_relative


def test_a_bound_may_be_the_current_version():
    (required,) = parse({"r2": "<=current"}, Task.REGRESSION)
    assert (required.sign, required.is_relative) == ("<=", True)


@pytest.mark.parametrize(
    ("require", "message"),
    [
        ({"rocauc": "> 1"}, "did you mean `roc_auc`"),
        ({"r2": "> 1"}, "a binary model has no metric 'r2'"),
        ({"auc": "0.9"}, "expected >=, <=, > or <"),
        ({"auc": ">= curent"}, "got '>= curent'"),
        ({"auc": "=> 1"}, "got '=> 1'"),
        ({"auc": "> nan"}, "got '> nan'"),
        ({"auc": "> " + "9" * 90}, "expected"),
    ],
)
def test_an_invalid_requirement_is_refused(require, message):
    """The error has a pointer and says what a valid requirement is."""
    with pytest.raises(InvalidRequirement) as caught:
        parse(require, Task.BINARY)
    (error,) = caught.value.errors
    assert error.pointer == f"#/require/{next(iter(require))}"
    assert message in f"{error.detail} {error.hint}"
