"""Fit the network of a run, once or with several seeds, and keep the best epoch."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

import keras

from core.runs.spec import ResolvedFit
from fitserve.enums import StopReason
from workers.heartbeat import Heartbeat, finite
from workers.training.batches import Batches
from workers.training.callbacks import (
    EpochRecorder,
    EpochTimer,
    StopOnRequest,
    cosine_decay,
)
from workers.training.checkpointer import Checkpointer
from workers.training.epoch_loop import fit_epochs
from workers.training.fit_plan import FitPlan
from workers.training.multi_seed import BestFit, Better, SeedSearch, assign, copied
from workers.training.xla import XlaSwitch

_ENDS_THE_RUN = (StopReason.CANCELLED, StopReason.TIME_LIMIT)
"""Reasons not to start another fit."""

LEARNING_RATE = "learning_rate"
"""Keras's name in the history for the rate of an epoch, where a callback sets rates."""

History = dict[str, list[float]]


@dataclass(frozen=True)
class FitResult:
    """The result of one fit, or of the best of several.

    Args:
        best_epoch: the epoch whose weights are kept, from 1; None without weights.
        num_fits: the number of fits that have begun.
        num_lost: the number of fits that ended in NaN.
        kept_fit: the fit that `best_epoch` belongs to, from 1.

    """

    stop_reason: StopReason
    best_epoch: int | None
    metrics: dict[str, float | None]
    num_fits: int = 1
    num_lost: int = 0
    kept_fit: int | None = None

    @property
    def has_weights(self) -> bool:
        """Return whether the fit has weights to save."""
        return self.best_epoch is not None


@dataclass(frozen=True)
class FitJob:
    """The inputs that all fits of a run share.

    Args:
        model: the compiled model.
        seconds: how long all fits may take.
        draw: assigns the initial weights of a seed to the model.

    """

    model: keras.Model
    spec: ResolvedFit
    train: Batches
    validation: Batches | None
    heartbeat: Heartbeat
    seconds: float
    checkpointer: Checkpointer
    draw: Callable[[int], None]


def fit(job: FitJob) -> FitResult:
    """Fit a compiled model as its `spec` says, or resume an earlier fit.

    StopOnRequest lists the reasons to stop early. Of several fits, keep the fit with the
    best `val_loss` at its kept epoch. If early stopping monitors another validation
    metric, that metric decides.
    """
    try:
        if job.spec.num_seeds == 1:
            return _fit_one(job, SeedSearch(), job.checkpointer.spent_seconds).result
        return _fit_all(job)
    finally:
        job.checkpointer.close()


@dataclass(frozen=True)
class FitOutcome:
    """One fit that has ended.

    Args:
        seconds: how long another fit of as many epochs would take, without tracing.
        value: the value by which fits are compared; NaN if it is missing.
        is_better: compares two such values.

    """

    result: FitResult
    epochs: int
    seconds: float
    value: float
    is_better: Better


def _fit_all(job: FitJob) -> FitResult:
    """Fit with one seed after another, until all are done or no time is left."""
    search, model, spec = SeedSearch(), job.model, job.spec
    spent = job.checkpointer.spent_seconds
    model.optimizer.build(model.trainable_variables)
    initial_state = copied(model.optimizer.variables)
    plan = _plan(job, 0, spent)
    max_epochs = plan.epochs * spec.num_seeds
    xla = XlaSwitch(model, job.train, job.validation, plan, max_epochs)
    while True:
        outcome = _fit_one(job, search, spent, xla)
        _keep_if_best(outcome, search, model)
        reason = outcome.result.stop_reason
        spent = job.heartbeat.fit_seconds()
        is_last = search.index + 1 == spec.num_seeds
        if not is_last and spent + outcome.seconds > job.seconds:
            reason = StopReason.TIME_LIMIT  # another fit would not finish
        if is_last or reason in _ENDS_THE_RUN:
            return _best_result(job, search, outcome.result, reason)
        search.next_fit(outcome.epochs)
        job.draw(spec.seed + search.index)
        assign(model.optimizer.variables, initial_state)


def _keep_if_best(outcome: FitOutcome, search: SeedSearch, model: keras.Model) -> None:
    result = outcome.result
    search.num_lost += result.stop_reason == StopReason.NAN_LOSS
    if result.best_epoch is not None and search.is_beaten_by(
        outcome.value, outcome.is_better
    ):
        search.kept = BestFit(
            outcome.value,
            search.index + 1,
            search.epochs_before + result.best_epoch,
            result.stop_reason,
            result.metrics,
            copied(model.variables),
        )


def _best_result(
    job: FitJob, search: SeedSearch, last: FitResult, reason: StopReason
) -> FitResult:
    """Return the result of the best fit, and put its weights into the model."""
    kept, number = search.kept, search.index + 1
    if kept is None:
        best = last.best_epoch and search.epochs_before + last.best_epoch
        return replace(last, best_epoch=best, num_fits=number, kept_fit=best and number)
    assign(job.model.variables, kept.weights)
    stop_reason = reason if reason in _ENDS_THE_RUN else kept.stop_reason
    return FitResult(
        stop_reason, kept.epoch, kept.metrics, number, search.num_lost, kept.fit
    )


def _fit_one(
    job: FitJob, search: SeedSearch, spent: float, xla: XlaSwitch | None = None
) -> FitOutcome:
    spec = job.spec
    recorder = EpochRecorder(job.heartbeat, spent, search)
    stopper = StopOnRequest(job.heartbeat, job.seconds - spent)
    timer = EpochTimer()
    early = _early_stopping(spec)
    rates = _learning_rate_callbacks(spec, job.model)
    history = fit_epochs(
        job.model,
        job.train,
        job.validation,
        _plan(job, search.index, spent),
        # the recorder reads the learning rate that `rates` add to the logs
        [*([early] if early else []), *rates, recorder, stopper, timer],
        job.checkpointer,
        search,
        xla,
    )
    result = _result(history, spec, stopper.reason, early)
    epochs = len(history.get("loss", []))
    value, is_better = _judge(history, result.best_epoch, early)
    return FitOutcome(result, epochs, timer.estimate(epochs), value, is_better)


def _plan(job: FitJob, index: int, spent: float) -> FitPlan:
    spec = job.spec
    return FitPlan(
        batch_size=spec.batch_size,
        epochs=spec.epochs,
        shuffle=spec.shuffle,
        seed=spec.seed + index,
        seconds=job.seconds - spent,
    )


def _early_stopping(spec: ResolvedFit) -> keras.callbacks.EarlyStopping | None:
    if spec.early_stopping is None:
        return None
    return keras.callbacks.EarlyStopping(**spec.early_stopping.model_dump())


def _learning_rate_callbacks(
    spec: ResolvedFit, model: keras.Model
) -> list[keras.callbacks.Callback]:
    callbacks: list[keras.callbacks.Callback] = []
    if (plateau := spec.reduce_lr_on_plateau) is not None:
        callbacks.append(keras.callbacks.ReduceLROnPlateau(**plateau.model_dump()))
    if (cosine := spec.learning_rate_scheduler) is not None:
        # the compiled rate: a resumed fit has not restored its current one yet
        rate = float(model.optimizer.learning_rate)
        decay = cosine_decay(rate, spec.epochs, cosine.warmup_epochs, cosine.alpha)
        callbacks.append(
            keras.callbacks.LearningRateScheduler(lambda epoch, _: decay(epoch))
        )
    return callbacks


def _judge(
    history: History, best: int | None, early: keras.callbacks.EarlyStopping | None
) -> tuple[float, Better]:
    """Return the value by which fits are compared, and the comparison."""
    # the loss on training rows would choose the fit that overfits most
    if early and not early.monitor.startswith("val_"):
        early = None
    values = history.get(early.monitor if early else "val_loss", [])
    # Keras sets monitor_op only when an epoch of this attempt has ended
    is_better = (early.monitor_op if early else None) or operator.lt
    return values[best - 1] if best and values else math.nan, is_better


def _result(
    history: History,
    spec: ResolvedFit,
    reason: StopReason | None,
    early: keras.callbacks.EarlyStopping | None,
) -> FitResult:
    epochs = len(history.get("loss", []))
    if reason is None:
        stopped_early = epochs < spec.epochs
        reason = StopReason.EARLY_STOPPING if stopped_early else StopReason.COMPLETED
    best: int | None = epochs or None
    if early and early.restore_best_weights and early.best_weights is not None:
        best = best and int(early.best_epoch) + 1
    if reason == StopReason.NAN_LOSS:
        best = None
    return FitResult(reason, best, _metrics_at(history, best))


def _metrics_at(history: History, epoch: int | None) -> dict[str, float | None]:
    """Return the loss and the metrics of an epoch, without the learning rate."""
    if not epoch:
        return {}
    named = {name: values for name, values in history.items() if name != LEARNING_RATE}
    return {name: finite(values[epoch - 1]) for name, values in named.items()}
