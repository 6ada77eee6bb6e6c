"""Run the epochs of a fit, and call Keras's own callbacks once an epoch."""

from typing import Protocol

import keras
import numpy as np

from workers.training.batches import Batches
from workers.training.callbacks import Logs
from workers.training.fit_plan import FitPlan
from workers.training.multi_seed import SeedSearch
from workers.training.snapshots import FitState
from workers.training.xla import XlaSwitch


class EpochListener(Protocol):
    """An observer of a fit between epochs, which may also restore an earlier state."""

    def begin(self, state: FitState) -> None:
        """Act before the first epoch, after `on_train_begin` of the callbacks."""

    def epoch_ended(self, state: FitState) -> None:
        """Act after every epoch except the last epoch of the run."""


class _HistoryRecorder(keras.callbacks.Callback):
    """Append the logs of each epoch to the history of a fit.

    It must be the last callback: other callbacks add to the logs, such as the learning
    rate.
    """

    def __init__(self, state: FitState) -> None:
        super().__init__()
        self._history = state.history

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:  # noqa: ARG002  Keras's signature
        for name, value in (logs or {}).items():
            self._history.setdefault(name, []).append(value)


def fit_epochs(
    model: keras.Model,
    train: Batches,
    validation: Batches | None,
    plan: FitPlan,
    callbacks: list[keras.callbacks.Callback],
    listener: EpochListener | None = None,
    search: SeedSearch | None = None,
    xla: XlaSwitch | None = None,
) -> dict[str, list[float]]:
    """Train like `model.fit`, and return the history.

    Callbacks are called when the fit and each epoch begin and end. `on_train_batch_end`
    is called often enough in a long epoch to stop it within half a second.
    `search` gives the index of this fit. All fits of a run share `xla`.
    """
    rng = np.random.default_rng(plan.seed) if plan.shuffle else None
    state = FitState(model, callbacks, rng, search=search or SeedSearch())
    callback_list = keras.callbacks.CallbackList(
        [*callbacks, _HistoryRecorder(state)],
        model=model,
        epochs=plan.epochs,
        verbose=0,
        steps=None,
    )
    model.stop_training = False
    callback_list.on_train_begin()
    if listener is not None:
        listener.begin(state)
        if state.search.index and not state.epoch:
            listener.epoch_ended(state)  # the last epoch of the previous fit
    xla = xla or XlaSwitch(model, train, validation, plan, plan.epochs - state.epoch)
    while state.epoch < plan.epochs:
        _run_epoch(xla, callback_list, state)
        if model.stop_training:
            break
        if listener is not None and state.epoch < plan.epochs:
            listener.epoch_ended(state)
    callback_list.on_train_end()
    return state.history


def _run_epoch(
    xla: XlaSwitch, callbacks: keras.callbacks.CallbackList, state: FitState
) -> None:
    def keeps_going() -> bool:
        callbacks.on_train_batch_end(0)
        return not state.model.stop_training

    callbacks.on_epoch_begin(state.epoch)
    logs = xla.run_epoch(state.rng, keeps_going)
    for name in logs:  # the loss first: Keras sorts the names for callbacks
        state.history.setdefault(name, [])
    callbacks.on_epoch_end(state.epoch, logs)
    state.epoch += 1
