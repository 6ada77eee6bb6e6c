"""Diagnose a curve by the first rule that applies."""

from collections.abc import Callable
from typing import NamedTuple

from core.runs.diagnosis.curve import Curve
from core.runs.diagnosis.facts import Facts
from core.runs.diagnosis.standing import (
    better_rival_text,
    is_above,
    is_best,
    is_good,
    is_level,
    is_on_par,
    is_within_chance,
)
from fitserve.enums import StopReason
from fitserve.main_figure import is_perfect
from fitserve.number_text import number_text

GREW = 0.2
"""A training loss has diverged if it is this share above its first value."""
NOISE = 0.05
GOOD_NOISE = 0.1
"""The least noise of a network that is on par with the best baseline all the same."""
RISE = 0.03
"""The least rise of the validation loss; it must also be three times the noise."""
FALL = 0.02
LEAST_GAP = 0.15
"""The least gap from training to validation loss for a rise to be overfitting."""
BIG_RISE = 0.1
"""A rise that is overfitting even if the gap opens after the best epoch: dropout and
ensembles keep the training loss high at first."""
LEVEL_RISE = 0.3
"""The least rise for a network that is behind the best baseline only by chance."""
WIDE_GAP = 1.0
"""A validation loss twice the training loss."""
GAIN = 0.01
TRAINING_GAIN = 0.02
BEATEN = 0.1
"""How much higher the network's error is than a baseline's."""
FAR_BEHIND = 0.5
LOST = 3.0
"""A multiple of the error of a constant prediction."""
LITTLE = 0.3
"""A reduction of the error by less than this share is underfitting."""


class Diagnosis(NamedTuple):
    """The word and the sentence of a diagnosis."""

    word: str
    sentence: str


def diagnose(curve: Curve, facts: Facts) -> Diagnosis:
    """Return the diagnosis of a curve of at least one epoch."""
    for rule in _RULES:
        if (found := rule(curve, facts)) is not None:
            return found
    tail = "changed little after it"
    if _is_falling(curve):
        tail = "was still falling at the end"
    elif curve.best_epoch == curve.num_epochs:
        tail = "changed little in the last epochs"
    lowest = number_text(min(curve.judged))
    at = f"epoch {curve.best_epoch} of {curve.num_epochs}"
    return Diagnosis("fine", f"the {_name(curve)} fell to {lowest} in {at} and {tail}")


def kept_text(curve: Curve, facts: Facts) -> str:
    """Return which epoch was kept, and why if another has the lowest loss; else ""."""
    kept, early = facts.kept_epoch, facts.spec.fit.early_stopping
    if kept is None or not 0 < kept <= curve.num_epochs:
        return ""
    sentence = f"epoch {kept} was kept"
    if kept == curve.best_epoch:
        return sentence
    loss = f"its {_name(curve)} is {number_text(curve.judged[kept - 1])}"
    if early is None or not early.restore_best_weights:
        return f"{sentence}, because the spec keeps the last epoch; {loss}"
    if early.monitor == ("val_loss" if curve.val_loss else "loss"):
        return f"{sentence}; {loss}"
    return f"{sentence}, because its `{early.monitor}` is the best; {loss}"


def _diverged(curve: Curve, facts: Facts) -> Diagnosis | None:
    if curve.is_broken or facts.stop_reason == StopReason.NAN_LOSS:
        at = curve.num_epochs + 1
        return Diagnosis("diverged", f"the loss became NaN in epoch {at}")
    if -curve.drop > GREW:
        return Diagnosis(
            "diverged",
            f"the training loss rose from {number_text(curve.loss[0])} in epoch 1 to "
            f"{number_text(curve.loss[-1])} in epoch {curve.num_epochs}",
        )
    if facts.is_standardized and (facts.error_over_chance or 0.0) > LOST:
        error = "log loss" if facts.metric == "log_loss" else "mean squared error"
        return Diagnosis(
            "diverged",
            f"the {error} of the network is {facts.error_over_chance:.4g} times that of "
            "a constant prediction: the weights diverged and recovered only in part",
        )
    return None


def _noisy(curve: Curve, facts: Facts) -> Diagnosis | None:
    if curve.noise < (GOOD_NOISE if is_good(facts) else NOISE):
        return None
    return Diagnosis(
        "noisy",
        f"the {_name(curve)} changes by about {curve.noise:.0%} from one epoch to the "
        "next, so it is a matter of chance which epoch has the lowest",
    )


def _overfit(curve: Curve, facts: Facts) -> Diagnosis | None:
    """Diagnose a network that predicts its training rows better and better.

    A network that is on par with the best baseline seldom gained from regularization.
    """
    if not curve.val_loss or is_good(facts):
        return None
    if _drifts_apart(curve, facts):
        return Diagnosis(
            "overfit",
            f"after epoch {curve.best_epoch} the training loss fell by another "
            f"{curve.fall_since_best:.0%} while the validation loss rose by "
            f"{curve.rise:.0%}",
        )
    gap = curve.gap or 0.0
    if gap > WIDE_GAP and facts.are_losses_comparable and not is_level(facts):
        return Diagnosis(
            "overfit",
            f"in epoch {curve.best_epoch} the validation loss "
            f"({number_text(min(curve.val_loss))}) is {gap + 1:.1f} times the training "
            "loss: the network predicts its training rows much better than other rows",
        )
    return None


def _drifts_apart(curve: Curve, facts: Facts) -> bool:
    """Return whether the training loss falls while the validation loss rises.

    If the weights of the rows make the two losses incomparable, only a big rise counts.
    """
    least = max(LEVEL_RISE if is_level(facts) else RISE, 3 * curve.noise)
    rises = curve.rise > least and curve.fall_since_best > FALL
    if not facts.are_losses_comparable:
        return rises and curve.rise > BIG_RISE
    ends_apart = curve.rise > BIG_RISE and (curve.end_gap or 0.0) > LEAST_GAP
    return rises and ((curve.gap or 0.0) > LEAST_GAP or ends_apart)


def _still_improving(curve: Curve, facts: Facts) -> Diagnosis | None:
    """Diagnose a fit that ended too early.

    A network that is on par with the best baseline seldom gained from more epochs.
    """
    if facts.stop_reason == StopReason.EARLY_STOPPING:
        return None if is_on_par(facts) else _impatient(curve)
    if not _is_falling(curve) or is_good(facts):
        return None
    window = f"{curve.window} epochs" if curve.window > 1 else "epoch"
    return Diagnosis(
        "still_improving",
        f"the {_name(curve)} was still falling: it was {curve.late_gain:.1%} lower in "
        f"the last {window} than in the {window} before",
    )


def _is_falling(curve: Curve) -> bool:
    """Return whether the last epochs were the best, and clearly so."""
    ends_best = curve.best_epoch > curve.num_epochs - curve.window
    return ends_best and curve.late_gain >= GAIN


def _impatient(curve: Curve) -> Diagnosis | None:
    """Diagnose a run that early stopping ended while the training loss still fell."""
    if curve.late_training_gain < TRAINING_GAIN or curve.rise > RISE:
        return None
    return Diagnosis(
        "still_improving",
        f"early stopping ended the run in epoch {curve.num_epochs}, but the training "
        f"loss was still falling ({curve.late_training_gain:.1%} in {curve.window} "
        f"epochs) and the {_name(curve)} was only {curve.rise:.1%} above its minimum",
    )


def _far_behind(curve: Curve, facts: Facts) -> Diagnosis | None:
    """Diagnose a flat curve far above the best baseline."""
    is_flat = curve.late_gain < GAIN or facts.stop_reason == StopReason.EARLY_STOPPING
    return _beaten(facts, FAR_BEHIND) if is_flat else None


def _beaten(facts: Facts, by: float) -> Diagnosis | None:
    """Diagnose a network that a baseline beats, and that has not learned enough.

    A network whose training rows are predicted better than the baseline predicts other
    rows is large enough.
    """
    rival, error, on_training = facts.best_rival, facts.error, facts.training_error
    if rival is None or error is None or not is_above(facts, by):
        return None
    if is_perfect(facts.main_figure):  # a probability can be worse all the same
        return None
    if is_within_chance(facts) or (on_training is not None and on_training < rival[1]):
        return None
    return Diagnosis(
        "underfit",
        f"the curve is flat, and {better_rival_text(facts, rival, error)}",
    )


def _underfit(curve: Curve, facts: Facts) -> Diagnosis | None:
    if beaten := _beaten(facts, BEATEN):
        return beaten
    if is_best(facts) or is_level(facts) or is_perfect(facts.main_figure):
        return None
    learned = curve.drop if facts.skill is None else facts.skill
    if learned < LITTLE:
        return Diagnosis(
            "underfit",
            f"the curve is flat, and {_little_learned_text(facts, max(learned, 0))}",
        )
    return None


def _little_learned_text(facts: Facts, share: float) -> str:
    """Return how little the network learned from the training rows, as a clause."""
    if facts.skill is None:
        return f"the training loss fell by only {share:.0%}"
    if facts.metric == "r2":
        return f"R² on the training rows is only {share:.2f}"
    return (
        f"the log loss on the training rows is only {share:.0%} below that of a constant "
        "prediction"
    )


_RULES: tuple[Callable[[Curve, Facts], Diagnosis | None], ...] = (
    _diverged,
    _noisy,
    _overfit,
    _far_behind,
    _still_improving,
    _underfit,
)


def _name(curve: Curve) -> str:
    return "validation loss" if curve.val_loss else "training loss"
