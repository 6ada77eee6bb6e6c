"""Whether XLA compiles the epoch: begun without it, switched to it when that will pay.

XLA makes an epoch up to four times faster and takes seconds to compile. It is bought as
one buys skis that one could rent: when as much time went by without it as it costs, and
enough epochs are left to get it back. So a run of three epochs never pays for it, one of
five hundred never misses it. If the epochs turn out no faster, the first function is
taken up again.
"""

import logging
import time
from collections.abc import Callable
from functools import partial

import keras
import tensorflow as tf

from workers.training.epochs import EpochFunction, Logs, Order, Rows

log = logging.getLogger(__name__)

_PRICE_SECONDS = 0.8
_PRICE_SECONDS_A_LAYER = 0.12
_GAIN = 0.35
"""The share of an epoch that XLA saves, as far as one may hope beforehand."""
_LARGEST_FOR_XLA = 2 * 1024 * 1024
_CANNOT_COMPILE = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)


class Engine:
    """Runs the epochs of a model by the compiled function that serves it best.

    Args:
        model, train, validation, batch_size: as for EpochFunction.
        epochs: how many there are at most.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Rows,
        validation: Rows | None,
        batch_size: int,
        epochs: int,
    ) -> None:
        make = partial(EpochFunction, model, train, validation, batch_size)
        self._make_xla = partial(make, xla=True)
        self._plain: EpochFunction = make(xla=False)
        self._xla: EpochFunction | None = None
        self._price = _PRICE_SECONDS + _PRICE_SECONDS_A_LAYER * len(model.layers)
        self._epochs_left = epochs
        self._plain_seconds: list[float] = []
        self._xla_seconds: list[float] = []
        # within a loop XLA moves large tables about: 0.6 s an epoch became 9 (22 MB)
        self._is_decided = train.x.nbytes > _LARGEST_FOR_XLA

    def run_epoch(self, order: Order, keeps_going: Callable[[], bool]) -> Logs:
        """One epoch; see EpochFunction.run."""
        if not self._is_decided:
            self._decide()
        began = time.monotonic()
        logs = self._run(order, keeps_going)
        seconds = time.monotonic() - began
        (self._xla_seconds if self._xla else self._plain_seconds).append(seconds)
        self._epochs_left -= 1
        return logs

    def _decide(self) -> None:
        """The first epoch of each function is its compiling, and does not count."""
        plain, xla = self._plain_seconds[1:], self._xla_seconds[1:]
        if self._xla is None:
            if plain and self._will_pay(sum(plain), min(plain)):
                self._xla = self._make_xla()
        elif xla:
            is_slower = min(xla) > min(plain)
            self._is_decided = is_slower or len(xla) == 3
            if is_slower:
                self._xla = None

    def _will_pay(self, spent: float, epoch_seconds: float) -> bool:
        saved = self._epochs_left * epoch_seconds * _GAIN
        return spent > self._price and saved > self._price

    def _run(self, order: Order, keeps_going: Callable[[], bool]) -> Logs:
        if self._xla is None:
            return self._plain.run(order, keeps_going)
        try:
            return self._xla.run(order, keeps_going)
        except _CANNOT_COMPILE:
            if self._xla_seconds:
                raise  # it has compiled before; this is something else
            log.exception("XLA cannot compile this network; going on without it")
            self._xla, self._is_decided = None, True
            return self._plain.run(order, keeps_going)
