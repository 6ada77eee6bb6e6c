"""One question to a part, never asked twice at a time, never waited for too long."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from core.health.parts import Part, failed

Check = Callable[[], Part]


class Probe:
    """Asks in a thread of its own, so that a part that hangs holds up nobody.

    Its thread is a daemon: a check that never returns does not keep the process alive.

    Args:
        check: the question; may block.
        max_age: seconds that an answer holds.

    """

    def __init__(self, check: Check, max_age: float) -> None:
        self._check = check
        self._max_age = max_age
        self._until = 0.0
        self._lock = threading.Lock()
        self._asked: Future[Part] | None = None

    def ask(self) -> "Future[Part]":
        """The answer to come; of the question at work, if there is one."""
        with self._lock:
            if self._asked is None or self._is_old(self._asked):
                self._asked = Future()
                threading.Thread(
                    target=self._answer, args=[self._asked], name="probe", daemon=True
                ).start()
            return self._asked

    def _is_old(self, asked: "Future[Part]") -> bool:
        return asked.done() and time.monotonic() >= self._until

    def _answer(self, asked: "Future[Part]") -> None:
        try:
            part = self._check()
        except Exception as error:  # noqa: BLE001  whatever it is, the part is not well
            part = failed(f"It cannot be used ({type(error).__name__}).")
        self._until = time.monotonic() + self._max_age
        asked.set_result(part)


def answer_of(asked: "Future[Part]", seconds: float) -> Part:
    """The part as far as it is known now, `seconds` after the question."""
    if asked.done():
        return asked.result()
    return failed(f"It did not answer within {seconds:g} s.")
