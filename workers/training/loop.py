"""The epochs of a fit, with Keras's own callbacks asked once an epoch."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from workers.training.engine import Engine
from workers.training.epochs import Logs, Rows


@dataclass(frozen=True)
class Plan:
    """What `keras.Model.fit` is told besides the rows."""

    batch_size: int
    epochs: int
    shuffle: bool
    seed: int


def fit_epochs(
    model: keras.Model,
    train: Rows,
    validation: Rows | None,
    plan: Plan,
    callbacks: list[keras.callbacks.Callback],
) -> dict[str, list[float]]:
    """Do what `model.fit` does, and return its history.

    Callbacks hear of the beginning and end of the fit and of every epoch, and of a batch
    end now and then in a long epoch (often enough to stop it within half a second).
    """
    listeners = keras.callbacks.CallbackList(
        callbacks, model=model, epochs=plan.epochs, verbose=0, steps=None
    )
    engine = Engine(model, train, validation, plan.batch_size, plan.epochs)
    rng = np.random.default_rng(plan.seed)
    order = np.arange(len(train.x), dtype=np.int32)
    history: dict[str, list[float]] = {}
    model.stop_training = False

    def keeps_going() -> bool:
        listeners.on_train_batch_end(0)
        return not model.stop_training

    listeners.on_train_begin()
    for epoch in range(plan.epochs):
        if plan.shuffle:
            rng.shuffle(order)
        listeners.on_epoch_begin(epoch)
        logs = engine.run_epoch(order, keeps_going)
        _append(history, logs)
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    listeners.on_train_end()
    return history


def _append(history: dict[str, list[Any]], logs: Logs) -> None:
    for name, value in logs.items():
        history.setdefault(name, []).append(value)
