"""The bootstrap interval of a metric covers the truth as often as it claims."""

import numpy as np
import pytest
from sklearn import metrics

from core.models.bootstrap import figure_interval
from core.models.scores import CLASSIFICATION, REGRESSION, Scored, score, scores
from fitserve.enums import Task

DRAWS, ROWS = 200, 250


def rng(seed=0):
    return np.random.default_rng(seed)


def of_labels(correct, weights=None, groups=None, seed=1):
    """Return the interval of the accuracy, with rows that are correct or not."""
    p = np.where(correct, 0.9, 0.1)
    y = np.ones(len(correct))
    answers = np.column_stack([1 - p, p])
    scored = Scored(Task.BINARY, y, answers, weights)
    return figure_interval("accuracy", scored, groups, seed)


def of_scores(y, p):
    scored = Scored(Task.BINARY, y.astype(float), np.column_stack([1 - p, p]))
    return figure_interval("roc_auc", scored, None, 1)


def of_values(metric, y, predicted, seed=1):
    return figure_interval(metric, Scored(Task.REGRESSION, y, predicted), None, seed)


def share_covered(truth, draw):
    """Return the share of made tables whose interval contains the truth."""
    bounds = [draw(rng(seed)) for seed in range(DRAWS)]
    return np.mean([low <= truth <= high for low, high in bounds])


def test_it_covers_an_accuracy():
    share = share_covered(0.8, lambda r: of_labels(r.random(ROWS) < 0.8))
    assert 0.9 <= share <= 0.99


def test_it_covers_the_mean_error_of_normal_residuals():
    """The mean absolute value of a standard normal is the root of 2/π."""

    def draw(r):
        y = r.normal(size=ROWS)
        return of_values("mae", y, np.zeros(ROWS))

    assert 0.9 <= share_covered(np.sqrt(2 / np.pi), draw) <= 0.99


def test_it_covers_r2():
    """If y = p + noise of half the variance, R² is two thirds."""

    def draw(r):
        p = r.normal(size=ROWS)
        y = p + np.sqrt(0.5) * r.normal(size=ROWS)
        return of_values("r2", y, p)

    assert 0.9 <= share_covered(2 / 3, draw) <= 0.99


def test_it_covers_an_area_with_ties():
    """The scores have few values; the area of many rows stands for the truth."""

    def rows(r, count):
        y = r.random(count) < 0.3
        return y, np.round(r.normal(size=count) + y) / 8

    y, p = rows(rng(9_999), 2_000_000)
    truth = metrics.roc_auc_score(y, p)
    assert 0.9 <= share_covered(truth, lambda r: of_scores(*rows(r, ROWS))) <= 0.99


def test_groups_are_drawn_whole():
    """Rows of one group are alike: only the interval by groups covers the truth."""
    groups = np.repeat(np.arange(40), 10)

    def draw(by):
        return lambda r: of_labels(np.repeat(r.random(40) < 0.7, 10), groups=by)

    assert share_covered(0.7, draw(groups)) >= 0.88
    assert share_covered(0.7, draw(None)) < 0.7


def test_a_group_of_one_row_is_a_row():
    """The numbers of the groups do not matter."""
    correct = rng().random(100) < 0.7
    assert of_labels(correct, groups=7 * np.arange(100) - 3) == of_labels(correct)


def test_weights_count():
    """Equal weights change nothing; heavy correct rows raise both ends."""
    correct = rng().random(400) < 0.5
    low, high = of_labels(correct)
    assert of_labels(correct, weights=np.full(400, 2.0)) == pytest.approx((low, high))
    heavy = np.where(correct, 9.0, 1.0)
    low, high = of_labels(correct, weights=heavy)
    assert low < np.average(correct, weights=heavy) < high
    assert low > 0.8


def test_the_same_seed_gives_the_same_interval():
    y, predicted = rng().normal(size=(2, 100))
    found = of_values("mae", y, predicted, 3)
    assert found == of_values("mae", y, predicted, 3) != of_values("mae", y, predicted, 4)


@pytest.mark.parametrize("num_positive", [0, 1, 20])
def test_it_is_none_if_many_resamples_have_one_class(num_positive):
    p = rng().random(20)
    assert of_scores(np.arange(20) < num_positive, p) is None


def test_it_is_none_if_rows_or_groups_are_few_or_all_alike():
    """All rows correct say nothing about how often a row is wrong."""
    correct = np.arange(40) % 3 > 0
    assert of_labels(correct) is not None
    assert of_labels(correct[:4]) is None
    assert of_labels(correct[:0]) is None
    assert of_labels(correct, groups=np.arange(40) % 4) is None
    assert of_labels(correct, groups=np.arange(40) % 5) is not None
    assert of_labels(np.ones(40, np.bool_)) is None
    constant = np.full(40, 0.1)
    assert of_values("r2", constant, correct) is None


def test_many_rows_get_fewer_resamples():
    """The interval of 100,000 rows is as narrow as the normal approximation's."""
    correct = rng().random(100_000) < 0.8
    low, high = of_labels(correct)
    width = 2 * 1.96 * np.sqrt(0.8 * 0.2 / 100_000)
    assert high - low == pytest.approx(width, rel=0.25)


COUNTS = rng(5).multinomial(60, np.full(60, 1 / 60), size=4)
"""How often each row was drawn in four resamples: many times 0."""


@pytest.mark.parametrize("classes", [2, 3])
def test_metrics_of_many_weights_are_those_of_each(classes):
    """A row that was drawn twice counts twice, a row that was not drawn does not count."""
    task = Task.BINARY if classes == 2 else Task.MULTICLASS
    p = rng(1).multinomial(8, np.full(classes, 1 / classes), size=60) / 8
    y = np.array([rng(i).choice(classes, p=row) for i, row in enumerate(p)], float)
    for metric in CLASSIFICATION:
        found = scores(task, metric, y, p, COUNTS.astype(float))
        repeated = [np.repeat(np.arange(60), counts) for counts in COUNTS]
        expected = [score(task, metric, y[rows], p[rows]) for rows in repeated]
        assert found == pytest.approx(expected), metric


def test_errors_of_many_weights_are_those_of_each():
    y, predicted = rng(1).normal(size=(2, 60)) + 1e4
    for metric in REGRESSION:
        found = scores(Task.REGRESSION, metric, y, predicted, COUNTS.astype(float))
        repeated = [np.repeat(np.arange(60), counts) for counts in COUNTS]
        expected = [
            score(Task.REGRESSION, metric, y[rows], predicted[rows]) for rows in repeated
        ]
        assert found == pytest.approx(expected), metric
