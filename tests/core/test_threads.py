"""A periodic thread repeats its work, survives errors, and stops."""

import logging
import random
import threading

from core.logs import bound
from core.threads import PeriodicThread


class Work:
    """Work that counts its calls and raises in some of them."""

    def __init__(self, errors=()):
        self.errors = dict(errors)
        self.count = 0
        self.is_repeated = threading.Event()

    def __call__(self):
        self.count += 1
        if self.count >= 4:
            self.is_repeated.set()
        if self.count in self.errors:
            raise self.errors[self.count]


def test_a_thread_survives_errors(caplog):
    """The work is called again; consecutive failures are logged with one traceback."""
    work = Work({1: TypeError("first"), 2: MemoryError("second")})
    with PeriodicThread("t", 0.001, work).running():
        assert work.is_repeated.wait(20)
    records = [r for r in caplog.records if r.name == "core.threads"]
    assert [r.levelno for r in records] == [logging.ERROR] * 2
    assert ["TypeError" in r.getMessage() for r in records] == [True, False]
    assert [bool(r.exc_info) for r in records] == [True, False]


def test_a_stopped_thread_has_ended():
    """`stop` interrupts the pause, and the work is not called afterwards."""
    work = Work()
    thread = PeriodicThread("t", 3600.0, work)
    thread.start()
    thread.stop(20)
    assert (thread.is_alive(), thread.is_stopping, work.count) == (False, True, 0)


def test_stop_has_a_timeout():
    """Work that hangs does not block the caller of `stop`."""
    release, began = threading.Event(), threading.Event()
    thread = PeriodicThread("t", 0.0, lambda: (began.set(), release.wait(60)))
    thread.start()
    assert began.wait(20)
    thread.stop(0.01)
    assert thread.is_alive()
    release.set()
    thread.stop(20)
    assert not thread.is_alive()


def test_a_thread_that_never_started_can_be_stopped():
    """An example is a service that fails before its threads start."""
    PeriodicThread("t", 1.0, Work()).stop()


def test_an_eager_thread_does_not_wait_first():
    called = threading.Event()
    with PeriodicThread("t", 3600.0, called.set, is_eager=True).running():
        assert called.wait(20)


def test_pauses_are_spread():
    """Pauses differ by at most the jitter."""
    thread = PeriodicThread("t", 10.0, Work(), jitter=0.2)
    pauses = [thread._pause() for _ in range(100)]
    assert 8.0 <= min(pauses) < max(pauses) <= 12.0


def test_pauses_do_not_use_the_global_generator():
    """A fit uses the global generator, and its seed must fix the result."""
    state = random.getstate()
    work = Work()
    with PeriodicThread("t", 0.001, work, jitter=0.2).running():
        assert work.is_repeated.wait(20)
    assert random.getstate() == state


def test_a_thread_logs_in_the_context_of_its_starter():
    """Log lines have the context that was bound when the thread started."""
    from core import logs

    found, is_done = [], threading.Event()

    def work():
        found.append(logs._FACTS.get())
        is_done.set()

    with bound(run_id="run_1"), PeriodicThread("t", 0.0, work).running():
        assert is_done.wait(20)
    assert found[0] == {"run_id": "run_1"}
