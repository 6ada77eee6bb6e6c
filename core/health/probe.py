"""One check of a part of the service, never made twice at a time."""

import time
from collections.abc import Callable
from concurrent.futures import Future

from core.health.parts import Part, failed
from core.single_flight import SingleFlight, run_in_daemon

Check = Callable[[], Part]


class Probe:
    """Make a check in a thread of its own, so that a part that hangs delays no other.

    Args:
        check: the function to call; may block.
        max_age: seconds for which a result holds.

    """

    def __init__(self, check: Check, max_age: float) -> None:
        self._check = check
        self._max_age = max_age
        self._until = 0.0
        self._part: Part | None = None
        self._checks = SingleFlight(run_in_daemon)

    def ask(self) -> Future[Part]:
        """Return the result to come, of the check in progress if there is one."""
        return self._checks.start(None, self._known_or_checked)

    def _known_or_checked(self) -> Part:
        if self._part is None or time.monotonic() >= self._until:
            self._part = self._checked()
            self._until = time.monotonic() + self._max_age
        return self._part

    def _checked(self) -> Part:
        try:
            return self._check()
        except Exception as error:  # noqa: BLE001  its kind is reported as the part's fault
            return failed(f"It cannot be used ({type(error).__name__}).")


def part_of(result: Future[Part], seconds: float) -> Part:
    """Return the part as it is known `seconds` after it was asked."""
    if result.done():
        return result.result()
    return failed(f"It did not answer within {seconds:g} s.")
