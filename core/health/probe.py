"""Check a part of the service, at most once at the same time."""

import time
from collections.abc import Callable
from concurrent.futures import Future

from core.health.parts import Part, failed
from core.single_flight import SingleFlight, run_in_daemon

Check = Callable[[], Part]


class Probe:
    """A check in a separate thread, so that a part that hangs does not delay other parts.

    Args:
        check: the function to call; may block.
        max_age: seconds for which a result is valid.

    """

    def __init__(self, check: Check, max_age: float) -> None:
        self._check = check
        self._max_age = max_age
        self._until = 0.0
        self._part: Part | None = None
        self._checks = SingleFlight(run_in_daemon)

    def ask(self) -> Future[Part]:
        """Return the future of the check in progress, or of a check started now."""
        return self._checks.start(None, self._known_or_checked)

    def _known_or_checked(self) -> Part:
        if self._part is None or time.monotonic() >= self._until:
            self._part = self._checked()
            self._until = time.monotonic() + self._max_age
        return self._part

    def _checked(self) -> Part:
        try:
            return self._check()
        except Exception as error:  # noqa: BLE001  reported as the part's fault
            return failed(f"The check failed ({type(error).__name__}).")


def part_of(result: Future[Part], seconds: float) -> Part:
    """Return the part, or a failed part if there is no result after `seconds`."""
    if result.done():
        return result.result()
    return failed(f"No answer within {seconds:g} s.")
