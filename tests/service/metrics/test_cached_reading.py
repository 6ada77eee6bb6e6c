"""A value that only its first caller waits for."""

import threading
import time

import pytest
from sqlalchemy.exc import OperationalError

from service.metrics.cached_reading import CachedReading
from tests.timing import Clock, until


class Source:
    """Reads 1, 2, 3, …; a reading waits for `may_read`, and raises `error`."""

    def __init__(self):
        self.count = 0
        self.error = None
        self.may_read = threading.Event()
        self.may_read.set()

    def read(self):
        assert self.may_read.wait(30)
        if self.error:
            raise self.error
        self.count += 1
        return self.count


AWAY = OperationalError("SELECT", {}, Exception("away"))


@pytest.fixture
def slow(monkeypatch):
    """Treat every value as slow to read."""
    monkeypatch.setattr("service.metrics.cached_reading._QUICK_SECONDS", 0.0)


@pytest.mark.usefixtures("slow")
def test_nobody_waits_for_the_next_value():
    """The last value is returned while a thread reads the next one."""
    source = Source()
    value = CachedReading("test", source.read, 0.0)
    assert value.get() == 1
    source.may_read.clear()
    value._due_at = 0.0
    assert [value.get() for _ in range(3)] == [1, 1, 1]
    source.may_read.set()
    until(lambda: value._value == 2)


def test_a_quick_value_is_never_old():
    source = Source()
    value = CachedReading("test", source.read, 0.0)
    assert [value.get() for _ in range(3)] == [1, 2, 3]


@pytest.mark.usefixtures("slow")
def test_a_value_that_may_not_be_old_is_awaited():
    source = Source()
    value = CachedReading("test", source.read, 0.0)
    assert [value.get(may_be_old=False) for _ in range(3)] == [1, 2, 3]


def test_a_slow_value_is_read_less_often(monkeypatch):
    """Twenty seconds pass for each second of a reading."""
    times = iter([100.0, 100.0, 103.0])
    monkeypatch.setattr(
        "service.metrics.cached_reading.time.monotonic", lambda: next(times)
    )
    value = CachedReading("test", lambda: "slow", 5.0)
    assert value.get() == "slow"
    assert value._due_at == 163.0


@pytest.mark.usefixtures("slow")
def test_the_last_value_stays_while_the_database_is_away():
    """The first caller gets the error."""
    source = Source()
    source.error = AWAY
    value = CachedReading("test", source.read, 0.0)
    with pytest.raises(OperationalError):
        value.get()
    source.error = None
    assert value.get() == 1
    source.error = AWAY
    value._due_at = 0.0
    assert value.get() == 1
    until(lambda: value._due_at < time.monotonic() + 1)
    assert value._value == 1


@pytest.mark.usefixtures("slow")
def test_a_thread_that_hangs_is_replaced(monkeypatch):
    """After ten minutes another thread reads the value; the late one changes nothing."""
    clock = Clock(100.0)
    monkeypatch.setattr("service.metrics.cached_reading.time", clock)
    source = Source()
    hanging = threading.Event()
    value = CachedReading("test", source.read, 5.0)
    assert value.get() == 1
    is_over = threading.Event()

    def hang():
        hanging.set()
        assert is_over.wait(30)
        return "late"

    value._read = hang
    clock.now = 110.0
    assert value.get() == 1
    assert hanging.wait(30)
    value._read = source.read
    clock.now = 700.0
    assert value.get() == 1
    clock.now = 711.0
    value.get()
    until(lambda: value._value == 2)
    is_over.set()
    until(lambda: "test" not in {thread.name for thread in threading.enumerate()})
    assert value.get() == 2


@pytest.mark.usefixtures("slow")
def test_a_thread_that_cannot_start_is_tried_again(monkeypatch):
    clock = Clock(100.0)
    monkeypatch.setattr("service.metrics.cached_reading.time", clock)
    value = CachedReading("test", Source().read, 5.0)
    assert value.get() == 1

    def fail(_):
        raise RuntimeError("can't start new thread")

    clock.now = 106.0
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert value.get() == 1
    clock.now = 112.0
    value.get()
    until(lambda: value._value == 2)
