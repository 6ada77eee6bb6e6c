"""The fits of a run, and what they left: the epoch kept, why training stopped."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

import keras

from core.runs.spec import ResolvedFit
from fitserve.enums import StopReason
from fitserve.specs.training import EarlyStopping
from workers.heartbeat import Heartbeat, finite
from workers.training.batches import Blocks
from workers.training.callbacks import (
    Pace,
    Recorder,
    StopWhenTold,
    cosine_decay,
)
from workers.training.checkpointer import Checkpointer
from workers.training.epoch_loop import Plan, fit_epochs, make_engine
from workers.training.multi_seed import BestFit, Better, SeedSearch, assign, copied
from workers.training.xla import Engine

_FOR_GOOD = (StopReason.CANCELLED, StopReason.TIME_LIMIT)
"""Reasons to begin no other fit."""


@dataclass(frozen=True)
class FitResult:
    """How a fit, or several, went.

    `best_epoch` (1-based) is the one whose weights are kept; of several fits `num_fits`
    have begun, `num_lost` of them ended in NaN, and `kept_fit` (1-based) is that epoch's.
    """

    stop_reason: StopReason
    best_epoch: int | None
    metrics: dict[str, float | None]
    num_fits: int = 1
    num_lost: int = 0
    kept_fit: int | None = None


@dataclass(frozen=True)
class FitJob:
    """What every fit of a run is made of."""

    model: keras.Model
    spec: ResolvedFit
    train: Blocks
    validation: Blocks | None
    heartbeat: Heartbeat
    seconds: float
    checkpointer: Checkpointer
    draw: Callable[[int], None]
    """Gives the model the first weights that a seed draws."""


def fit(job: FitJob) -> FitResult:
    """Fit a compiled model as its `spec` says, or go on with an earlier fit.

    Stops early for the reasons that StopWhenTold knows. Of several fits the one is kept
    whose `val_loss` is the best at the epoch that it kept, or what early stopping watches
    of the validation rows.
    """
    try:
        if job.spec.num_seeds == 1:
            return _fit_one(job, SeedSearch(), job.checkpointer.spent_seconds).result
        return _fit_all(job)
    finally:
        job.checkpointer.close()


@dataclass(frozen=True)
class FitOutcome:
    """One fit that has ended."""

    result: FitResult
    epochs: int
    seconds: float
    """What another of as many epochs takes: nothing is traced or compiled again."""
    value: float
    is_better: Better


def _fit_all(job: FitJob) -> FitResult:
    """Seed after seed, until all are done or the time is."""
    fits, model, spec = SeedSearch(), job.model, job.spec
    spent = job.checkpointer.spent_seconds
    model.optimizer.build(model.trainable_variables)
    first_steps = copied(model.optimizer.variables)
    plan = _plan(spec, 0, job.seconds - spent)
    most = plan.epochs * spec.num_seeds
    engine = make_engine(model, job.train, job.validation, plan, most)
    while True:
        one = _fit_one(job, fits, spent, engine)
        _offer(one, fits, model)
        reason = one.result.stop_reason
        spent = job.heartbeat.fit_seconds()
        is_last = fits.place + 1 == spec.num_seeds
        if not is_last and spent + one.seconds > job.seconds:
            reason = StopReason.TIME_LIMIT  # another would not come to its end
        if is_last or reason in _FOR_GOOD:
            return _best(job, fits, one.result, reason)
        fits.go_on(one.epochs)
        job.draw(spec.seed + fits.place)
        assign(model.optimizer.variables, first_steps)


def _offer(one: FitOutcome, fits: SeedSearch, model: keras.Model) -> None:
    """Keep the fit if it is the best so far; one that ended in NaN is none."""
    result = one.result
    fits.num_lost += result.stop_reason == StopReason.NAN_LOSS
    if result.best_epoch is None:
        return
    if fits.is_beaten_by(one.value, one.is_better):
        epoch = fits.epochs_before + result.best_epoch
        weights = copied(model.variables)
        fits.kept = BestFit(
            one.value, fits.place + 1, epoch, result.stop_reason, result.metrics, weights
        )


def _best(
    job: FitJob, fits: SeedSearch, last: FitResult, reason: StopReason
) -> FitResult:
    """The best of the fits, its weights in the model."""
    kept, number = fits.kept, fits.place + 1
    if kept is None:
        best = last.best_epoch and fits.epochs_before + last.best_epoch
        return replace(last, best_epoch=best, num_fits=number, kept_fit=best and number)
    assign(job.model.variables, kept.weights)
    stop_reason = reason if reason in _FOR_GOOD else kept.stop_reason
    return FitResult(
        stop_reason, kept.epoch, kept.metrics, number, fits.num_lost, kept.fit
    )


def _fit_one(
    job: FitJob, fits: SeedSearch, spent: float, engine: Engine | None = None
) -> FitOutcome:
    spec, heartbeat = job.spec, job.heartbeat
    stopper = StopWhenTold(heartbeat, job.seconds - spent)
    early = _early_stopping(spec.early_stopping)
    pace = Pace()
    rates = [*_reduce_lr(spec), *_schedule(spec, job.model)]
    callbacks = [Recorder(heartbeat, spent, fits), stopper, pace, *early, *rates]
    history = fit_epochs(
        job.model,
        job.train,
        job.validation,
        _plan(spec, fits.place, job.seconds - spent),
        callbacks,
        job.checkpointer,
        fits,
        engine,
    )
    result = _fitted(history, spec, stopper.reason, early)
    # a loss of training rows would choose the fit that remembers most
    judge = early[0] if early and early[0].monitor.startswith("val_") else None
    values = history.get(judge.monitor if judge else "val_loss", [])
    best, epochs = result.best_epoch, len(history.get("loss", []))
    return FitOutcome(
        result,
        epochs=epochs,
        seconds=pace.seconds_of(epochs),
        value=values[best - 1] if best and values else math.nan,
        # none is known before an epoch of this attempt has ended
        is_better=(judge.monitor_op if judge else None) or operator.lt,
    )


def _plan(spec: ResolvedFit, place: int, seconds: float) -> Plan:
    return Plan(
        batch_size=spec.batch_size,
        epochs=spec.epochs,
        shuffle=spec.shuffle,
        seed=spec.seed + place,
        seconds=seconds,
    )


def _early_stopping(
    spec: EarlyStopping | None,
) -> list[keras.callbacks.EarlyStopping]:
    if spec is None:
        return []
    return [keras.callbacks.EarlyStopping(**spec.model_dump())]


def _reduce_lr(spec: ResolvedFit) -> list[keras.callbacks.ReduceLROnPlateau]:
    if spec.reduce_lr_on_plateau is None:
        return []
    arguments = spec.reduce_lr_on_plateau.model_dump()
    return [keras.callbacks.ReduceLROnPlateau(**arguments)]


def _schedule(
    spec: ResolvedFit, model: keras.Model
) -> list[keras.callbacks.LearningRateScheduler]:
    """By the rate that was compiled: a fit that goes on has not restored its own yet."""
    given = spec.learning_rate_scheduler
    if given is None:
        return []
    rate = float(model.optimizer.learning_rate)
    of_epoch = cosine_decay(rate, spec.epochs, given.warmup_epochs, given.alpha)
    return [keras.callbacks.LearningRateScheduler(lambda epoch, _: of_epoch(epoch))]


def _fitted(
    history: dict[str, list[float]],
    spec: ResolvedFit,
    reason: StopReason | None,
    early: list[keras.callbacks.EarlyStopping],
) -> FitResult:
    epochs = len(history.get("loss", []))
    stopped_early = epochs < spec.epochs
    if reason is None:
        reason = StopReason.EARLY_STOPPING if stopped_early else StopReason.COMPLETED
    is_lost = reason == StopReason.NAN_LOSS  # nothing of it is kept
    best = None if is_lost else _kept_epoch(epochs, spec.early_stopping, early)
    metrics = {k: finite(v[best - 1]) for k, v in history.items()} if best else {}
    return FitResult(reason, best, metrics)


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
