"""The advice of a reading: what is suggested, and when nothing is."""

import pytest

from core.runs.diagnosis.suggestions import next_spec
from core.runs.spec import ResolvedSpec
from core.settings import Limits
from fitserve.enums import StopReason
from fitserve.schemas.report import MainFigure, Trap
from fitserve.specs.run import RunCreate
from tests.core.runs.diagnosis.test_reading import CURVES, falling, read, spec

FLAT = CURVES["underfit"]
STEEP = CURVES["still_improving"]
BASELINES = {
    "constant": {"r2": 0.0},
    "linear": {"r2": 0.5},
    "gradient_boosting": {"r2": 0.6},
}


def measured(r2, training=None, rivals=BASELINES):
    """Return the figures of a network, of a fit a little better on training rows."""
    on_training = {"r2": r2 if training is None else training}
    return {"metrics": {"r2": r2}, "training_metrics": on_training, "rivals": rivals}


def trap(kind, *columns):
    return Trap(kind=kind, sentence="", columns=list(columns), numbers={})


@pytest.mark.parametrize("r2", [0.7, 0.6, 0.59])
def test_a_good_network_gets_no_button(r2):
    """The curve is fine, and no baseline is much better."""
    reading = read(*CURVES["fine"], **measured(r2))
    assert (reading.word, reading.title) == ("fine", "Good")
    place = "better than" if r2 > 0.6 else "level with"
    assert f"By R², the network is {place} the best baseline" in reading.sentence
    assert f"(network {r2}, gradient boosting 0.6)" in reading.sentence
    assert reading.advice == "More rows or features would help."
    assert reading.suggestion is None
    assert reading.next_spec == spec() | {"dataset": "ds_1"}


def test_a_network_slightly_behind_the_best_baseline_is_not_called_good():
    reading = read(*CURVES["fine"], **measured(0.57))
    assert (reading.word, reading.title) == ("fine", "The curve is fine")
    better = "By R², gradient boosting is better (network 0.57, gradient boosting 0.6)"
    assert better in reading.sentence
    assert reading.suggestion is None


def test_without_baselines_a_fine_curve_is_only_fine():
    """A constant prediction alone does not show that a network is good."""
    for rivals in ({}, {"constant": {"r2": 0.0}}):
        reading = read(*CURVES["fine"], **measured(0.7, rivals=rivals))
        assert reading.title == "The curve is fine"
        assert reading.suggestion is None


@pytest.mark.parametrize(
    ("r2", "word"), [(0.25, "fine"), (0.19, "fine"), (0.1, "underfit")]
)
def test_a_network_is_compared_before_it_is_called_underfit(r2, word):
    """The network learned little, but no baseline learned more."""
    rivals = {"constant": {"r2": 0.0}, "linear": {"r2": 0.2}}
    assert read(*FLAT, **measured(r2, rivals=rivals)).word == word


def test_a_network_that_alone_beats_the_constant_prediction_is_not_underfit():
    rivals = {"constant": {"r2": 0.0}}
    assert read(*FLAT, **measured(0.1, rivals=rivals)).word == "fine"
    assert read(*FLAT, **measured(0.0, rivals=rivals)).word == "underfit"


def interval(value, low, high, baseline):
    """Return an R² with its interval, and that of the best baseline."""
    best = {"name": "gradient_boosting", "value": baseline}
    figure = {"metric": "r2", "value": value, "low": low, "high": high, "baseline": best}
    return MainFigure(side="validation", num_rows=40, **figure)


@pytest.mark.parametrize(("high", "word"), [(0.55, "underfit"), (0.65, "fine")])
def test_a_difference_that_may_be_chance_is_no_underfit(high, word):
    """The baseline must be above the interval of the network."""
    figure = interval(0.5, 0.35, high, 0.6)
    reading = read(*CURVES["fine"], **measured(0.5), main_figure=figure)
    assert reading.word == word
    if word == "fine":
        assert "no baseline has a clearly better main figure" in reading.sentence
        assert reading.suggestion is None


def test_a_network_with_the_best_main_figure_is_no_underfit():
    """Its log loss is higher than that of a baseline, and its ROC AUC too."""
    chance, rival = {"log_loss": 0.69}, {"log_loss": 0.4}
    best = {"name": "linear", "value": 0.8}
    auc = {"metric": "roc_auc", "value": 0.9, "low": 0.85, "high": 0.95}
    figure = MainFigure(side="validation", num_rows=200, baseline=best, **auc)
    figures = {
        "metrics": {"log_loss": 0.5, "roc_auc": 0.9},
        "training_metrics": {"log_loss": 0.5},
        "rivals": {"constant": chance, "linear": rival},
    }
    behind = read(*CURVES["fine"], **figures)
    assert behind.word == "underfit"
    assert "by log loss, linear is better (network 0.5, linear 0.4)" in behind.sentence
    assert read(*CURVES["fine"], **figures, main_figure=figure).word == "fine"


@pytest.mark.parametrize(("auc", "word"), [(0.9994, "fine"), (0.98, "underfit")])
def test_a_network_with_a_perfect_main_figure_is_not_too_small(auc, word):
    """Its probabilities are worse than those of a baseline, which is perfect too."""
    best = {"name": "linear", "value": 1.0}
    known = {"metric": "roc_auc", "value": auc, "low": None, "high": None}
    figure = MainFigure(side="test", num_rows=200, baseline=best, **known)
    figures = {
        "metrics": {"log_loss": 0.3, "roc_auc": auc},
        "training_metrics": {"log_loss": 0.6},
        "rivals": {"constant": {"log_loss": 0.69}, "linear": {"log_loss": 0.1}},
    }
    assert read(*CURVES["fine"], **figures, main_figure=figure).word == word


@pytest.mark.parametrize(("training", "word"), [(0.55, "underfit"), (0.8, "fine")])
def test_a_network_that_fits_its_training_rows_is_large_enough(training, word):
    """The baseline is better on held-out rows, with 0.6."""
    reading = read(*CURVES["fine"], **measured(0.5, training))
    assert reading.word == word


def rising(share):
    """Return a validation loss that falls for 20 epochs and then rises by a share."""
    return [max(1 - 0.03 * i, 0.4) * (1 + share * max(0, i - 20) / 39) for i in range(60)]


@pytest.mark.parametrize(("rise", "word"), [(0.1, "fine"), (0.5, "overfit")])
def test_a_small_rise_is_no_fault_of_a_network_that_is_behind_by_chance(rise, word):
    """The best baseline is inside the interval of the network."""
    loss, val = falling(60, 0.05, 0.08), rising(rise)
    figure = interval(0.4, 0.1, 0.65, 0.6)
    assert read(loss, val, **measured(0.4), main_figure=figure).word == word
    assert read(loss, val, **measured(0.4)).word == "overfit"


@pytest.mark.parametrize(
    ("r2", "word"), [(0.7, "fine"), (0.59, "fine"), (0.4, "overfit")]
)
def test_a_network_on_par_with_the_best_baseline_is_not_overfit(r2, word):
    """Its validation loss rose, but regularization seldom made such networks better."""
    loss, val = falling(60, 0.05, 0.08), rising(0.5)
    assert read(loss, val, **measured(r2, 0.9)).word == word


@pytest.mark.parametrize(("r2", "word"), [(0.7, "fine"), (0.4, "noisy")])
def test_a_little_noise_is_no_fault_of_a_network_on_par(r2, word):
    """Much noise is."""
    loss, calm = CURVES["fine"]
    for noise, expected in ((0.07, word), (0.2, "noisy")):
        val = [v * (1 + noise * (-1) ** i / 2) for i, v in enumerate(calm)]
        assert read(loss, val, **measured(r2)).word == expected


@pytest.mark.parametrize(
    ("r2", "word"), [(0.7, "fine"), (0.59, "fine"), (0.5, "still_improving")]
)
def test_a_network_on_par_with_the_best_baseline_needs_no_more_epochs(r2, word):
    """Its loss was still falling; without a fitted baseline, that is a reason to go on."""
    reading = read(*STEEP, **measured(r2))
    assert reading.word == word
    assert "was still falling" in reading.sentence
    rivals = {"constant": {"r2": 0.0}}
    assert read(*STEEP, **measured(r2, rivals=rivals)).word == "still_improving"


def test_features_that_predict_nothing_are_named():
    """Neither the network nor a baseline is better than a constant prediction."""
    rivals = {"constant": {"r2": 0.0}, "linear": {"r2": -0.01}}
    reading = read(*FLAT, **measured(0.005, rivals=rivals))
    assert reading.title == "The features say little about the target"
    assert reading.suggestion is None
    better = read(*FLAT, **measured(0.2, rivals=rivals | {"linear": {"r2": 0.2}}))
    assert better.title == "Good"


def test_a_tiny_difference_of_tiny_errors_does_not_count():
    """An error of 0.004 instead of 0.002 is 100 % more, but both are nearly perfect."""
    rivals = {"constant": {"r2": 0.0}, "linear": {"r2": 0.998}}
    assert read(*CURVES["fine"], **measured(0.996, rivals=rivals)).title == "Good"
    rivals["linear"] = {"r2": 0.9}
    assert read(*CURVES["fine"], **measured(0.8, rivals=rivals)).word == "underfit"


@pytest.mark.parametrize(
    "curve", ["fine", "still_improving", "underfit", "overfit", "noisy"]
)
def test_a_leak_is_remedied_before_anything_else(curve):
    """The button leaves the columns out; the rest of the spec stays."""
    traps = [trap("imbalance", "y"), trap("leakage", "status"), trap("drift", "a")]
    reading = read(*CURVES[curve], traps=traps, features=["a", "b", "status"])
    assert reading.word == curve
    assert reading.title == "A column gives the target away"
    assert "`status`" in reading.advice
    assert reading.suggestion.kind == "leave_out"
    assert reading.suggestion.label == "Leave out status and train"
    assert reading.next_spec["features"]["exclude"] == ["status"]
    rest = {"features": None, "dataset": None}
    assert reading.next_spec | rest == spec() | rest
    RunCreate.model_validate(reading.next_spec)


def test_a_leak_is_removed_from_the_included_columns():
    given = spec() | {"features": {"include": ["a", "status"]}}
    reading = read(
        *STEEP, given=given, traps=[trap("leakage", "status")], features=["a", "status"]
    )
    assert reading.next_spec["features"]["include"] == ["a"]
    assert reading.next_spec["features"]["exclude"] == []


def test_no_button_leaves_out_every_feature():
    traps = [trap("leakage", "a"), trap("leakage", "b")]
    reading = read(*STEEP, traps=traps, features=["a", "b"])
    assert reading.title == "Columns give the target away"
    assert reading.suggestion is None


def test_a_diverged_network_is_mended_before_the_data():
    reading = read(*CURVES["diverged"], traps=[trap("leakage", "a")], features=["a", "b"])
    assert reading.suggestion.kind == "lower_rate"


@pytest.mark.parametrize("kind", ["duplicates", "constant_target"])
def test_a_problem_of_the_rows_has_advice_and_no_button(kind):
    """No spec removes rows from the table, and more epochs do not help."""
    reading = read(*STEEP, traps=[trap(kind)], features=["a", "b"])
    assert reading.suggestion is None
    assert reading.advice.startswith("First ")


@pytest.mark.parametrize("kind", ["drift", "imbalance"])
def test_a_trap_without_a_remedy_leaves_the_advice_of_the_curve(kind):
    """Networks without columns that drift were better too seldom for a button."""
    reading = read(*STEEP, traps=[trap(kind, "a")], features=["a", "b"])
    assert reading.suggestion.kind == "more_epochs"


def test_a_suggestion_that_repeats_the_spec_is_not_offered():
    """The run has the most epochs; with early stopping, more patience is a change."""
    limits = Limits()
    stopping = {"patience": 40, "monitor": "val_loss", "restore_best_weights": True}
    given = spec(epochs=limits.max_epochs, early_stopping=stopping)
    reading = read(*STEEP, StopReason.COMPLETED, given)
    assert reading.word == "still_improving"
    assert reading.suggestion is None
    resolved = ResolvedSpec.model_validate(given)
    stopped = next_spec(
        "still_improving", resolved, 100, limits, StopReason.EARLY_STOPPING
    )
    assert stopped.spec.fit.early_stopping.patience == 120
    given = spec(epochs=100, early_stopping=stopping)
    assert read(*STEEP, StopReason.COMPLETED, given).suggestion.kind == "more_epochs"


@pytest.mark.parametrize(
    "word", ["diverged", "noisy", "overfit", "still_improving", "underfit"]
)
def test_each_diagnosis_has_its_kind_of_suggestion(word):
    kinds = {
        "diverged": "lower_rate",
        "noisy": "calmer_steps",
        "overfit": "regularization",
        "still_improving": "more_epochs",
        "underfit": "larger_network",
    }
    assert read(*CURVES[word]).suggestion.kind == kinds[word]


@pytest.mark.parametrize(
    "weights", [{"class_weight": "balanced"}, {"sample_weight": "w"}]
)
def test_weighted_losses_of_two_sides_are_not_compared(weights):
    """A gap between the two losses may come from the weights, but a big rise counts."""
    loss, val = falling(60, 0.1, 0.3), falling(60, 0.3, 0.3)
    weighted = spec(**weights)
    assert read(loss, val).word == "overfit"
    assert read(loss, val, given=weighted).word == "fine"
    rising = [v + 0.004 * max(0, i - 10) for i, v in enumerate(val)]
    slow = falling(60, 0.1, 0.1)
    assert read(slow, rising, given=weighted).word == "overfit"
