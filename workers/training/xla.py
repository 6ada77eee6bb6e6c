"""Whether XLA compiles the epoch: begun without it, compiled beside, switched to.

XLA makes an epoch up to seven times faster and takes a second or more to compile. It is
bought as one buys skis that one could rent: when as much time went by without it as it
costs, and more than that is left. So a run of three epochs never pays for it, and one of
five hundred hardly notices. A thread compiles while the fit goes on, and calls go to what
it made from the moment it is there, also within an epoch.

A small network, whose time goes into everything but arithmetic, gains most. It buys at
once and waits for the thread: the epochs that it could do meanwhile are nothing against
what comes. Half of the time that it has is the most that it waits.
"""

import logging
import math
import threading
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from workers.training.batches import Blocks
from workers.training.compiled_epoch import Epochs, Logs, Rng
from workers.training.programs import Program

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
        seconds: how long there is for them.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Blocks,
        validation: Blocks | None,
        batch_size: int,
        epochs: int,
        gradient_scale: float = 1.0,
        seconds: float = math.inf,
    ) -> None:
        self._epochs = Epochs(model, train, validation, batch_size, gradient_scale)
        self._price = _PRICE_SECONDS + _PRICE_SECONDS_A_LAYER * len(model.layers)
        self._deadline = time.monotonic() + seconds
        self._most_calls = epochs * self._epochs.calls
        self._calls = 0
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
        self._calls += 1
        if self._compiling is not None and self._compiling.is_alive():
            return
        plain = [p for p in self._epochs.programs.values() if not p.has_twin]
        slowest = max(plain, key=_pace, default=None)
        if slowest is None or not _pace(slowest):
            return
        self._spent += _pace(slowest)
        left = sum(_pace(p) * p.calls for p in plain)
        left *= self._most_calls / self._calls - 1
        in_time = self._deadline - time.monotonic()
        left = min(left, in_time)
        is_small = self._epochs.call_flops / _pace(slowest) < _SLOW_FLOPS
        if left > self._price and (is_small or self._spent > self._price):
            self._spent = 0.0
            compiling = _compile_beside([p for p in plain if p.seconds])
            self._compiling = compiling
            if is_small:
                _wait(compiling, min(left, in_time / 2), keeps_going)


def _wait(
    compiling: threading.Thread, seconds: float, keeps_going: Callable[[], bool]
) -> None:
    """Wait for the twins, but no longer than going on without them would take."""
    until = time.monotonic() + seconds
    while compiling.is_alive() and time.monotonic() < until:
        if not keeps_going():
            break
        compiling.join(timeout=_LOOK_SECONDS)


def _pace(program: Program) -> float:
    """Seconds a call; nothing is known before the second one."""
    return program.seconds or 0.0


def _compile_beside(programs: list[Program]) -> threading.Thread:
    twins = [program.twin() for program in programs]

    def compile_all() -> None:
        try:
            for twin in twins:
                twin()
        except _CANNOT_COMPILE:
            log.exception("XLA cannot compile this network; going on without it")

    thread = threading.Thread(target=compile_all, name="xla")
    thread.start()
    return thread
