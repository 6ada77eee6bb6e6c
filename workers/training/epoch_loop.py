"""The epochs of a fit, with Keras's own callbacks asked once an epoch."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np

from workers.training.batches import Blocks
from workers.training.compiled_epoch import Logs
from workers.training.multi_seed import SeedSearch
from workers.training.snapshots import FitState
from workers.training.xla import Engine


@dataclass(frozen=True)
class Plan:
    """What `keras.Model.fit` is told besides the rows."""

    batch_size: int
    epochs: int
    shuffle: bool
    seed: int
    gradient_scale: float = 1.0
    """What gradients are multiplied by before the optimizer sees them."""
    seconds: float = math.inf
    """How long there is for it, which tells what compiling is worth."""


class Between(Protocol):
    """Who wants to see a fit between its epochs, or to change where it begins."""

    def begin(self, state: FitState) -> None:
        """Before the first epoch, when the callbacks have begun."""

    def epoch_ended(self, state: FitState) -> None:
        """After every epoch but the last of all."""


def fit_epochs(
    model: keras.Model,
    train: Blocks,
    validation: Blocks | None,
    plan: Plan,
    callbacks: list[keras.callbacks.Callback],
    between: Between | None = None,
    fits: SeedSearch | None = None,
    engine: Engine | None = None,
) -> dict[str, list[float]]:
    """Do what `model.fit` does, and return its history.

    Callbacks hear of the beginning and end of the fit and of every epoch, and of a batch
    end now and then in a long epoch (often enough to stop it within half a second).
    `fits` tells which fit of several this is, `engine` was made for all of them.
    """
    listeners = keras.callbacks.CallbackList(
        callbacks, model=model, epochs=plan.epochs, verbose=0, steps=None
    )
    rng = np.random.default_rng(plan.seed) if plan.shuffle else None
    state = FitState(model, callbacks, rng, fits=fits or SeedSearch())
    model.stop_training = False

    def keeps_going() -> bool:
        listeners.on_train_batch_end(0)
        return not model.stop_training

    listeners.on_train_begin()
    if between is not None:
        between.begin(state)
        if state.fits.place and not state.epoch:
            between.epoch_ended(state)  # the last one of the fit before
    engine = engine or make_engine(
        model, train, validation, plan, plan.epochs - state.epoch
    )
    for epoch in range(state.epoch, plan.epochs):
        listeners.on_epoch_begin(epoch)
        logs = engine.run_epoch(rng, keeps_going)
        _append(state.history, logs)
        listeners.on_epoch_end(epoch, logs)
        state.epoch = epoch + 1
        if model.stop_training:
            break
        if between is not None and state.epoch < plan.epochs:
            between.epoch_ended(state)
    listeners.on_train_end()
    return state.history


def make_engine(
    model: keras.Model, train: Blocks, validation: Blocks | None, plan: Plan, epochs: int
) -> Engine:
    """What runs at most so many epochs of the plan."""
    return Engine(
        model,
        train,
        validation,
        plan.batch_size,
        epochs,
        plan.gradient_scale,
        plan.seconds,
    )


def _append(history: dict[str, list[Any]], logs: Logs) -> None:
    for name, value in logs.items():
        history.setdefault(name, []).append(value)
