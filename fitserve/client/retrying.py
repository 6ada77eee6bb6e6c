"""Decide whether and when a request is sent again."""

import logging
import random
from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import httpx

from fitserve.problem_types import ProblemType
from fitserve.retry_after import retry_after

logger = logging.getLogger("fitserve")

BRIEFLY = (0.2, 0.5)  # seconds before a request is sent again
LONG = (*BRIEFLY, 1.0, 2.0, 4.0, 8.0)  # the lease of a dead request expires after 10 s
BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_BUSY = (0.5, 1.0, 2.0, 4.0)  # then 8 s each
_BUSY_AT_MOST = 8.0
_PASSING = frozenset({502, 503, 504})
_WORTH_TELLING = 1.0


class Retrying:
    """The pauses of one call, at most `most` seconds in total.

    After 429 the service has done nothing, so any call is retried. After a broken
    connection, 502, 503 or 504, only calls that may be processed twice have `pauses`.
    """

    def __init__(self, pauses: Sequence[float], most: float) -> None:
        self._faulty = iter(pauses)
        self._busy: Iterator[float] = chain(_BUSY, repeat(_BUSY_AT_MOST))
        self._left = most

    def after_break(self) -> float | None:
        """Return the pause after a broken connection; None if it must be raised."""
        return self._taken(next(self._faulty, None), 0.0, "the connection broke")

    def after(self, answer: httpx.Response) -> float | None:
        """Return the pause after an answer; None if the answer is final."""
        wait = retry_after(answer.headers.get("retry-after", ""))
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return self._taken(next(self._busy), wait, "the service is busy (429)")
        if not _is_passing(answer):
            return None
        said = f"the service answered {answer.status_code}"
        return self._taken(next(self._faulty, None), wait, said)

    def _taken(self, pause: float | None, at_least: float, why: str) -> float | None:
        if pause is None:
            return None
        # random, so that clients do not all retry at the same time
        pause = max(pause, at_least) * random.uniform(1.0, 1.25)  # noqa: S311  no secret
        if pause > self._left:
            return None
        self._left -= pause
        if pause >= _WORTH_TELLING:
            logger.info("%s; retrying in %.0f s", why, pause)
        return pause


def _is_passing(answer: httpx.Response) -> bool:
    """Return whether a retry of the request may succeed."""
    if answer.status_code != httpx.codes.CONFLICT:
        return answer.status_code in _PASSING
    return ProblemType.REQUEST_IN_FLIGHT.uri in answer.text
