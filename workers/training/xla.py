"""Decide whether and when XLA compiles the epochs of a fit.

XLA makes an epoch up to seven times faster, and takes a second or more to compile. A fit
starts without XLA. A thread compiles when the epochs so far took as long as compiling
takes, and the rest would take longer (the ski rental rule). So a run of three epochs
never compiles, and a run of 500 epochs spends only a small share of its time on it. Calls
use the compiled copy as soon as it is ready, also within an epoch.

A small network, whose time is overhead and not arithmetic, gains most. Its fit compiles
at once and waits for the thread, for at most half of the remaining time.
"""

import logging
import threading
import time
from collections.abc import Callable

import keras
import tensorflow as tf

from workers.training.batches import Batches, Rng
from workers.training.compiled_epoch import CompiledEpoch, Logs
from workers.training.fit_plan import FitPlan
from workers.training.traced_function import TracedFunction

log = logging.getLogger(__name__)

_PRICE_SECONDS = 0.5
_PRICE_SECONDS_PER_LAYER = 0.05
_SLOW_FLOPS = 5e9
"""A call with fewer operations a second is dominated by overhead."""
_POLL_SECONDS = 0.1
_CANNOT_COMPILE = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)


class XlaSwitch:
    """Run the epochs of a model, and switch to XLA when that saves time.

    Args:
        model, train, validation: as for CompiledEpoch.
        plan: gives the batch size and the time limit.
        epochs: the most epochs that can follow.

    """

    def __init__(
        self,
        model: keras.Model,
        train: Batches,
        validation: Batches | None,
        plan: FitPlan,
        epochs: int,
    ) -> None:
        self._epoch = CompiledEpoch(model, train, validation, plan.batch_size)
        self._price = _PRICE_SECONDS + _PRICE_SECONDS_PER_LAYER * len(model.layers)
        self._deadline = time.monotonic() + plan.seconds
        self._max_calls = epochs * self._epoch.calls
        self._calls = 0
        self._spent = 0.0
        self._compiling: threading.Thread | None = None

    def run_epoch(self, rng: Rng, keeps_going: Callable[[], bool]) -> Logs:
        """Run one epoch; see CompiledEpoch.run."""

        def between_calls() -> bool:
            self._consider_xla(keeps_going)
            return keeps_going()

        logs = self._epoch.run(rng, between_calls)
        self._consider_xla(keeps_going)
        return logs

    def _consider_xla(self, keeps_going: Callable[[], bool]) -> None:
        self._calls += 1
        if self._compiling is not None and self._compiling.is_alive():
            return
        plain = [f for f in self._epoch.functions.values() if not f.has_compiled_copy]
        slowest = max((f.seconds for f in plain), default=0.0)
        if not slowest:
            return
        self._spent += slowest
        seconds_left = self._deadline - time.monotonic()
        saving = min(self._seconds_without_xla(plain), seconds_left)
        is_small = self._epoch.flops_per_call / slowest < _SLOW_FLOPS
        if saving > self._price and (is_small or self._spent > self._price):
            self._spent = 0.0
            self._compiling = _start_compiling([f for f in plain if f.seconds])
            if is_small:
                _wait(self._compiling, min(saving, seconds_left / 2), keeps_going)

    def _seconds_without_xla(self, functions: list[TracedFunction]) -> float:
        so_far = sum(function.seconds * function.calls for function in functions)
        return so_far * (self._max_calls / self._calls - 1)


def _wait(
    compiling: threading.Thread, seconds: float, keeps_going: Callable[[], bool]
) -> None:
    """Wait for the compiled copies, but at most `seconds`."""
    until = time.monotonic() + seconds
    while compiling.is_alive() and time.monotonic() < until:
        if not keeps_going():
            break
        compiling.join(timeout=_POLL_SECONDS)


def _start_compiling(functions: list[TracedFunction]) -> threading.Thread:
    copies = [function.prepare_compiled_copy() for function in functions]

    def compile_all() -> None:
        try:
            for compile_copy in copies:
                compile_copy()
        except _CANNOT_COMPILE:
            log.exception("XLA cannot compile this network; continuing without XLA")

    thread = threading.Thread(target=compile_all, name="xla")
    thread.start()
    return thread
