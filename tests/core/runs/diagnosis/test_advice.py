"""The advice of a reading: what is suggested, and when nothing is."""

import pytest

from core.runs.diagnosis.suggestions import next_spec
from core.runs.spec import ResolvedSpec
from core.settings import Limits
from fitserve.enums import StopReason
from fitserve.schemas.report import Trap
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
    assert f"{place} the best baseline" in reading.sentence
    assert reading.advice == "More rows or features would help."
    assert reading.suggestion is None
    assert reading.next_spec == spec() | {"dataset": "ds_1"}


def test_a_network_slightly_behind_the_best_baseline_is_not_called_good():
    reading = read(*CURVES["fine"], **measured(0.57))
    assert (reading.word, reading.title) == ("fine", "The curve is fine")
    assert "gradient boosting is slightly better" in reading.sentence.lower()
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


def test_drift_leaves_out_the_features_that_drifted():
    """Drift of the target alone has no button; imbalance leaves the advice of the curve."""
    traps = [trap("drift", "a"), trap("drift", "y")]
    reading = read(*STEEP, traps=traps, features=["a", "b"])
    assert reading.suggestion.label == "Leave out a and train"
    assert read(*STEEP, traps=traps[1:], features=["a", "b"]).suggestion is None
    reading = read(*STEEP, traps=[trap("imbalance", "y")], features=["a", "b"])
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


def test_a_class_weighted_training_loss_is_not_compared_with_the_validation_loss():
    """Keras weighs only the training loss, so a gap between the two means nothing."""
    loss, val = falling(60, 0.1, 0.3), falling(60, 0.3, 0.3)
    weighted = spec(class_weight="balanced")
    assert read(loss, val).word == "overfit"
    assert read(loss, val, given=weighted).word == "fine"
    rising = [v + 0.004 * max(0, i - 10) for i, v in enumerate(val)]
    slow = falling(60, 0.1, 0.1)
    assert read(slow, rising, given=weighted).word == "overfit"
