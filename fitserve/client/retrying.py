"""Whether a request is sent again, and when."""

import itertools
import logging
import random
from collections.abc import Iterator, Sequence

import httpx

from fitserve.problem_types import ProblemType
from fitserve.retry_after import retry_after

logger = logging.getLogger("fitserve")

BRIEFLY = (0.2, 0.5)  # seconds before a request is sent again
LONG = (*BRIEFLY, 1.0, 2.0, 4.0, 8.0)  # a key waits 10 s for one who died
BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_BUSY = (0.5, 1.0, 2.0, 4.0)  # then 8 s each, for as long as there is patience
_BUSY_AT_MOST = 8.0
_PASSING = frozenset({502, 503, 504})
_WORTH_TELLING = 1.0


class Retrying:
    """The pauses of one call.

    429 says that nothing was done, so whatever was asked is asked again; the other
    faults leave that open, and `pauses` are for calls that may be heard twice.

    Args:
        pauses: seconds before each repetition after a broken line, 502, 503 or 504.
        most: seconds that all pauses may take together.

    """

    def __init__(self, pauses: Sequence[float], most: float) -> None:
        self._faulty = iter(pauses)
        self._busy: Iterator[float] = itertools.chain(
            _BUSY, itertools.repeat(_BUSY_AT_MOST)
        )
        self._left = most

    def after_break(self) -> float | None:
        """Seconds to wait behind a line that broke; None where it shall be raised."""
        return self._taken(next(self._faulty, None), 0.0, "the line broke")

    def after(self, answer: httpx.Response) -> float | None:
        """Seconds to wait behind an answer; None where it is the answer."""
        told = retry_after(answer.headers.get("retry-after", ""))
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return self._taken(next(self._busy), told, "the service is busy (429)")
        if not _is_passing(answer):
            return None
        said = f"the service answered {answer.status_code}"
        return self._taken(next(self._faulty, None), told, said)

    def _taken(self, pause: float | None, at_least: float, why: str) -> float | None:
        """The pause, some of it by chance so that not all come back together."""
        if pause is None:
            return None
        pause = max(pause, at_least) * random.uniform(1.0, 1.25)  # noqa: S311  no secret
        if pause > self._left:
            return None
        self._left -= pause
        if pause >= _WORTH_TELLING:
            logger.info("%s; asking again in %.0f s", why, pause)
        return pause


def _is_passing(answer: httpx.Response) -> bool:
    """Whether the same request may fare better in a moment."""
    if answer.status_code != httpx.codes.CONFLICT:
        return answer.status_code in _PASSING
    return ProblemType.REQUEST_IN_FLIGHT.uri in answer.text
