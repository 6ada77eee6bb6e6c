"""Diagnose a run's curve with a word, the numbers used, and the spec to try next."""

from core.runs.diagnosis.curve import Curve, History
from core.runs.diagnosis.facts import Facts
from core.runs.diagnosis.rules import diagnose
from core.runs.diagnosis.suggestions import next_spec, one_row_cause
from core.settings import Limits
from fitserve.schemas.report import Reading


def read_curve(
    history: History, facts: Facts, dataset: str, limits: Limits
) -> Reading | None:
    """Return the diagnosis of Keras's history; None before the first epoch has ended.

    `dataset` is the id for the next spec.
    """
    curve = Curve.of(history)
    if not history.get("loss"):
        return None
    word, sentence = diagnose(curve, facts)
    if which := one_row_cause(word, facts.spec, facts.num_train_rows):
        sentence += f". The cause: {which}, which BatchNormalization turns into zeros"
    spec, advice = next_spec(word, facts.spec, dataset, facts.num_train_rows, limits)
    return Reading.model_validate(
        {
            "word": word,
            "sentence": f"{sentence[:1].upper()}{sentence[1:]}.",
            "numbers": _numbers(curve, facts),
            "advice": f"Try {advice}.",
            "next_spec": spec.to_json(),
        }
    )


def _numbers(curve: Curve, facts: Facts) -> dict[str, float | None]:
    if not curve.num_epochs:
        return {"epochs": 0}
    rival = facts.best_rival
    return {
        "epochs": curve.num_epochs,
        "best_epoch": curve.best_epoch,
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
