"""Diagnose a run's curve with a word, the numbers used, and the spec to try next."""

from typing import NamedTuple

from core.runs.diagnosis.curve import Curve, History
from core.runs.diagnosis.facts import Facts
from core.runs.diagnosis.remedies import remedy_of, without
from core.runs.diagnosis.rules import diagnose, kept_text
from core.runs.diagnosis.standing import standing_of
from core.runs.diagnosis.suggestions import LEAVE_OUT, next_spec, one_row_cause
from core.runs.spec import ResolvedSpec
from core.settings import Limits
from fitserve.schemas.report import Reading

_TITLES = {
    "underfit": "The network is too small or the training is too short",
    "overfit": "The network overfits the training rows",
    "still_improving": "The network was still improving",
    "diverged": "The training diverged",
    "noisy": "The curve is noisy",
}
_AT_THE_LIMIT = {
    "underfit": "The network is as large as it may be; other features would help.",
    "overfit": "More rows, or fewer features, would help.",
    "still_improving": "The run is as long as it may be; try a higher learning rate.",
}
"""The advice where the next spec would repeat the run."""


class _Advice(NamedTuple):
    """The title, an addition to the sentence, the advice, and the suggestion, if any."""

    title: str
    more: str
    advice: str
    kind: str | None = None
    label: str = ""
    spec: ResolvedSpec | None = None


def read_curve(
    history: History, facts: Facts, dataset: str, limits: Limits
) -> Reading | None:
    """Return the diagnosis of Keras's history; None before the first epoch has ended.

    `dataset` names the dataset in the next spec.
    """
    curve = Curve.of(history)
    if not history.get("loss"):
        return None
    word, sentence = diagnose(curve, facts)
    found = _advise(word, facts, limits)
    named = (found.spec or facts.spec).model_copy(update={"dataset": dataset})
    spec = named.to_json()
    suggestion = {"kind": found.kind, "label": found.label, "spec": spec}
    return Reading.model_validate(
        {
            "word": word,
            "title": found.title,
            "sentence": _sentence(sentence, kept_text(curve, facts), found.more),
            "numbers": _numbers(curve, facts),
            "advice": found.advice,
            "suggestion": suggestion if found.spec else None,
            "next_spec": spec,
        }
    )


def _advise(word: str, facts: Facts, limits: Limits) -> _Advice:
    """Return the remedy of the data, else that of the curve, else the standing."""
    if word != "diverged" and (remedy := remedy_of(facts)):
        spec = without(facts.spec, remedy.left_out) if remedy.left_out else None
        label = remedy.label if spec else ""
        return _Advice(remedy.title, "", remedy.advice, LEAVE_OUT, label, spec)
    if word == "fine":
        return _Advice(*standing_of(facts))
    return _advise_on_curve(word, facts, limits)


def _advise_on_curve(word: str, facts: Facts, limits: Limits) -> _Advice:
    cause = one_row_cause(word, facts.spec, facts.num_train_rows)
    more = (
        f"The cause: {cause}, which BatchNormalization turns into zeros" if cause else ""
    )
    found = next_spec(word, facts.spec, facts.num_train_rows, limits, facts.stop_reason)
    if found is None:
        advice = _AT_THE_LIMIT.get(word, "The next spec would repeat this run.")
        return _Advice(_TITLES[word], more, advice)
    label = "Train the suggested spec"
    return _Advice(
        _TITLES[word], more, f"Try {found.advice}.", found.kind, label, found.spec
    )


def _sentence(*parts: str) -> str:
    """Return the parts as sentences, each with a capital letter and a full stop."""
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts if part)


def _numbers(curve: Curve, facts: Facts) -> dict[str, float | None]:
    if not curve.num_epochs:
        return {"epochs": 0}
    rival = facts.best_rival
    return {
        "epochs": curve.num_epochs,
        "best_epoch": curve.best_epoch,
        "kept_epoch": facts.kept_epoch,
        "first_loss": curve.loss[0],
        "last_loss": curve.loss[-1],
        "best_val_loss": min(curve.val_loss) if curve.val_loss else None,
        "last_val_loss": curve.val_loss[-1] if curve.val_loss else None,
        "rise": curve.rise,
        "fall_since_best": curve.fall_since_best,
        "gap": curve.gap,
        "late_gain": curve.late_gain,
        "late_training_gain": curve.late_training_gain,
        "noise": curve.noise,
        "drop": curve.drop,
        "error": facts.error,
        "best_baseline_error": rival[1] if rival else None,
        "skill": facts.skill,
    }
