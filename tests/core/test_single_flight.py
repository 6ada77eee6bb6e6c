"""Simultaneous calls for one key are one call."""

import asyncio
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from core.single_flight import SingleFlight, run_here, run_in_daemon


class Call:
    """A call that waits until it is released and counts itself."""

    def __init__(self, error=None):
        self.count, self.error = 0, error
        self.began, self.release = threading.Event(), threading.Event()

    def __call__(self):
        self.count += 1
        self.began.set()
        assert self.release.wait(20)
        if self.error is not None:
            raise self.error
        return self.count


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("spawn", ["pool", "daemon"])
def test_simultaneous_callers_get_the_same_result(pool, spawn):
    """A later caller gets a new result."""
    flights = SingleFlight(pool.submit if spawn == "pool" else run_in_daemon)
    call = Call()
    results = [flights.start("k", call) for _ in range(5)]
    other = flights.start("other", lambda: "at once")
    assert other.result(20) == "at once"
    call.release.set()
    assert [result.result(20) for result in results] == [1] * 5
    assert flights.start("k", call).result(20) == 2


def test_threads_share_the_call_of_the_first(pool):
    """The call is made in the first thread, and the others wait for it."""
    flights, call = SingleFlight(run_here), Call()
    first = pool.submit(lambda: flights.start("k", call).result(20))
    assert call.began.wait(20)
    second = flights.start("k", call)
    call.release.set()
    assert (first.result(20), second.result(20), call.count) == (1, 1, 1)


def test_an_error_reaches_all_callers_and_is_not_kept():
    """The next call is made again."""
    flights, call = SingleFlight(run_in_daemon), Call(OSError("no"))
    results = [flights.start("k", call) for _ in range(2)]
    call.release.set()
    for result in results:
        with pytest.raises(OSError, match="no"):
            result.result(20)
    assert flights.start("k", lambda: "yes").result(20) == "yes"


def test_a_cancelled_caller_does_not_cancel_the_call(pool):
    """The other callers still get the result."""
    flights, call = SingleFlight(pool.submit), Call()

    async def ask():
        tasks = [asyncio.create_task(flights.wait("k", call)) for _ in range(2)]
        await asyncio.to_thread(call.began.wait, 20)
        tasks[0].cancel()
        await asyncio.sleep(0)
        call.release.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    cancelled, result = asyncio.run(ask())
    assert isinstance(cancelled, asyncio.CancelledError)
    assert (result, call.count) == (1, 1)


def test_callers_of_a_shut_down_executor_get_an_error():
    """The executor cancels queued calls and refuses new ones."""
    pool, blocking = ThreadPoolExecutor(1), Call()
    flights = SingleFlight(pool.submit)
    first = flights.start("first", blocking)
    assert blocking.began.wait(20)
    waiting = flights.start("second", lambda: None)
    pool.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(CancelledError):
        waiting.result(20)
    with pytest.raises(RuntimeError):
        flights.start("third", lambda: None).result(20)
    blocking.release.set()
    assert first.result(20) == 1
