"""The fit itself, and what it left: epochs run, the epoch kept, why it stopped."""

from dataclasses import dataclass

import keras

from fitserve.specs.training import EarlyStopping, FitSpec
from fitserve.statuses import StopReason
from workers.pulse import Pulse, finite
from workers.training.blocks import Blocks
from workers.training.callbacks import Recorder, StopWhenTold, cosine_decay
from workers.training.keeper import Keeper
from workers.training.loop import Plan, fit_epochs


@dataclass(frozen=True)
class Fitted:
    """How a fit went; `best_epoch` (1-based) is the one whose weights are kept."""

    stop_reason: StopReason
    best_epoch: int | None
    metrics: dict[str, float | None]


def fit(
    model: keras.Model,
    spec: FitSpec,
    train: Blocks,
    validation: Blocks | None,
    pulse: Pulse,
    seconds: float,
    keeper: Keeper,
) -> Fitted:
    """Fit a compiled model as the resolved `spec` says, or go on with an earlier fit.

    Stops early for the reasons that StopWhenTold knows.
    """
    spent = keeper.spent_seconds
    stopper = StopWhenTold(pulse, seconds - spent)
    early = _early_stopping(spec.early_stopping)
    rates = [*_reduce_lr(spec), *_schedule(spec, model)]
    callbacks = [Recorder(pulse, spent), stopper, *early, *rates]
    try:
        history = fit_epochs(model, train, validation, _plan(spec), callbacks, keeper)
    finally:
        keeper.close()
    return _fitted(history, spec, stopper.reason, early)


def _plan(spec: FitSpec) -> Plan:
    resolved = (spec.batch_size, spec.epochs, spec.seed)
    batch_size, epochs, seed = (value or 0 for value in resolved)
    return Plan(batch_size, epochs, spec.shuffle, seed)


def _early_stopping(
    spec: EarlyStopping | None,
) -> list[keras.callbacks.EarlyStopping]:
    if spec is None:
        return []
    return [keras.callbacks.EarlyStopping(**spec.model_dump())]


def _reduce_lr(spec: FitSpec) -> list[keras.callbacks.ReduceLROnPlateau]:
    if spec.reduce_lr_on_plateau is None:
        return []
    arguments = spec.reduce_lr_on_plateau.model_dump()
    return [keras.callbacks.ReduceLROnPlateau(**arguments)]


def _schedule(
    spec: FitSpec, model: keras.Model
) -> list[keras.callbacks.LearningRateScheduler]:
    """By the rate that was compiled: a fit that goes on has not restored its own yet."""
    given = spec.learning_rate_scheduler
    if given is None:
        return []
    rate = float(model.optimizer.learning_rate)
    of_epoch = cosine_decay(rate, spec.epochs or 1, given.warmup_epochs, given.alpha)
    return [keras.callbacks.LearningRateScheduler(lambda epoch, _: of_epoch(epoch))]


def _fitted(
    history: dict[str, list[float]],
    spec: FitSpec,
    reason: StopReason | None,
    early: list[keras.callbacks.EarlyStopping],
) -> Fitted:
    epochs = len(history.get("loss", []))
    stopped_early = epochs < (spec.epochs or 0)
    if reason is None:
        reason = StopReason.EARLY_STOPPING if stopped_early else StopReason.COMPLETED
    best = _kept_epoch(epochs, spec.early_stopping, early)
    metrics = {k: finite(v[best - 1]) for k, v in history.items()} if best else {}
    return Fitted(reason, best, metrics)


def _kept_epoch(
    epochs: int,
    spec: EarlyStopping | None,
    early: list[keras.callbacks.EarlyStopping],
) -> int | None:
    if not epochs:
        return None
    restored = spec is not None and spec.restore_best_weights
    if restored and early and early[0].best_weights is not None:
        return int(early[0].best_epoch) + 1
    return epochs
