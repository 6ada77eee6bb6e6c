"""Whether XLA compiles the epoch: begun without it, compiled beside, switched to.

XLA makes an epoch up to seven times faster and takes a second or more to compile. It is
bought as one buys skis that one could rent: when as much time went by without it as it
costs, and more than that is left. So a run of three epochs never pays for it, and one of
five hundred hardly notices. A thread compiles while the fit goes on, and calls go to what
it made from the moment it is there, also within an epoch.

A small network, whose time goes into everything but arithmetic, gains most. It buys at
once and waits for the thread: the epochs that it could do meanwhile are nothing against
what comes.
"""

import logging
import threading
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from workers.training.blocks import Blocks
from workers.training.epochs import Epochs, Logs, Rng

log = logging.getLogger(__name__)

_PRICE_SECONDS = 0.5
_PRICE_SECONDS_A_LAYER = 0.05
_SLOW_FLOPS = 5e9
"""A call that does fewer a second is busy with other things than arithmetic."""
_LOOK_SECONDS = 0.1
_CANNOT_COMPILE = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)


class Engine:
    """Runs the epochs of a model, and has them compiled by XLA where that will pay.

    Args:
        model, train, validation, batch_size, gradient_scale: as for Epochs.
        epochs: how many there are at most.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Blocks,
        validation: Blocks | None,
        batch_size: int,
        epochs: int,
        gradient_scale: float = 1.0,
    ) -> None:
        self._epochs = Epochs(model, train, validation, batch_size, gradient_scale)
        self._price = _PRICE_SECONDS + _PRICE_SECONDS_A_LAYER * len(model.layers)
        self._calls_left = epochs * self._epochs.calls
        self._spent = 0.0
        self._compiling: threading.Thread | None = None

    def run_epoch(self, rng: Rng, keeps_going: Callable[[], bool]) -> Logs:
        """One epoch; see Epochs.run."""

        def between_calls() -> bool:
            self._consider_xla(keeps_going)
            return keeps_going()

        logs = self._epochs.run(rng, between_calls)
        self._consider_xla(keeps_going)
        return logs

    def _consider_xla(self, keeps_going: Callable[[], bool]) -> None:
        """After every call."""
        self._calls_left -= 1
        pace = self._epochs.call_seconds
        if self._compiling is not None or pace is None:
            return
        self._spent += pace
        left = pace * self._calls_left
        is_small = self._epochs.call_flops / pace < _SLOW_FLOPS
        if left > self._price and (is_small or self._spent > self._price):
            self._compiling = threading.Thread(target=self._twins(), name="xla")
            self._compiling.start()
            if is_small:
                self._wait(left, keeps_going)

    def _wait(self, seconds: float, keeps_going: Callable[[], bool]) -> None:
        """For the twins, but no longer than going on without them would take."""
        assert self._compiling is not None  # noqa: S101  just started
        until = time.monotonic() + seconds
        while self._compiling.is_alive() and time.monotonic() < until:
            if not keeps_going():
                break
            self._compiling.join(timeout=_LOOK_SECONDS)

    def _twins(self) -> Callable[[], None]:
        programs = [p for p in self._epochs.programs.values() if not p.is_compiled]
        twins = [program.twin() for program in programs if program.is_portable]

        def compile_all() -> None:
            try:
                for twin in twins:
                    twin()
            except _CANNOT_COMPILE:
                log.exception("XLA cannot compile this network; going on without it")

        return compile_all
