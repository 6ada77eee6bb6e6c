"""Values in use stay fresh, idle values expire, and all survive a lost database."""

import threading

import pytest
from sqlalchemy.exc import OperationalError

from core import refresh_ahead_cache
from core.refresh_ahead_cache import RefreshAheadCache
from tests.timing import Clock, until

HOUR = 3600.0


class Source:
    """A source of values that records which keys were read."""

    def __init__(self):
        self.values, self.reads, self.error = {}, [], None

    def reread(self, known):
        self.reads.append(sorted(known))
        if self.error is not None:
            raise self.error
        return {key: self.values[key] for key in known if key in self.values}


@pytest.fixture
def source():
    return Source()


def cache_of(source, max_age=HOUR, **more):
    return RefreshAheadCache("cache", max_age, source.reread, **more)


def away():
    return OperationalError("SELECT", {}, Exception("no connection"))


def test_values_in_use_are_read_again(source):
    """Changed values are replaced, missing ones dropped, and idle ones not read."""
    cache = cache_of(source)
    for key in ("changed", "gone", "idle"):
        cache.put(key, "old")
    source.values = {"changed": "old", "gone": "old", "idle": "old"}
    cache.refresh()
    assert [cache.peek(key) for key in ("changed", "gone")] == ["old", "old"]
    source.values = {"changed": "new"}
    cache.refresh()
    assert source.reads[1] == ["changed", "gone"]
    assert (cache.peek("changed"), cache.peek("gone")) == ("new", None)
    assert cache.peek("idle") == "old"


def test_chosen_values_are_read_whether_in_use_or_not(source):
    cache = cache_of(source)
    cache.put("a", 1)
    source.values = {"a": 1}
    cache.refresh()
    source.values = {"a": 2}
    cache.refresh(lambda key: key == "b")
    assert cache.peek("a") == 1
    cache.refresh(lambda key: key == "a")
    assert cache.peek("a") == 2


def test_without_values_in_use_nothing_is_read(source):
    """An idle service does not query the database."""
    cache_of(source).refresh()
    assert source.reads == []


def test_a_value_is_served_no_longer_than_its_age(source):
    """It expires at its maximum age or after its own time; `peek_stale` still returns it."""
    cache = cache_of(source, max_age=0.01)
    cache.put("a", 1)
    expiring = cache_of(source)
    expiring.put("a", 1, seconds=0.01)
    until(lambda: cache.peek("a") is None and expiring.peek("a") is None)
    assert cache.peek_stale("a") == 1


def test_the_thread_keeps_a_used_value_fresh(source, monkeypatch):
    """The value is read again each time before it expires."""
    clock = Clock()
    monkeypatch.setattr(refresh_ahead_cache, "time", clock)
    cache = cache_of(source, max_age=0.02)
    source.values = {"a": 1}
    cache.put("a", 1)

    def is_read_twice():
        assert cache.peek("a") == 1
        return len(source.reads) >= 2

    cache.start()
    try:
        for _ in range(4):
            clock.now += 0.015
            source.reads.clear()
            until(is_read_twice)
    finally:
        cache.stop()


def test_values_hold_while_the_database_is_unavailable(source, caplog):
    """The failure is logged once, and a value with its own expiry still expires."""
    cache = cache_of(source)
    cache.put("a", 1)
    cache.put("expiring", 1, seconds=60.0)
    source.error = away()

    def untils():
        return {key: entry.until for key, entry in cache._entries.items()}

    for _ in range(2):
        before = untils()
        assert (cache.peek("a"), cache.peek("expiring")) == (1, 1)
        cache._refresh_or_extend()
        assert untils()["a"] > before["a"]
        assert untils()["expiring"] == before["expiring"]
    assert len(source.reads) == 2
    assert caplog.text.count("the database is unavailable") == 1


def test_idle_values_hold_while_the_database_is_unavailable(source):
    """After a failed read the values are read again next time."""
    cache = cache_of(source)
    cache.put("a", 1)
    source.error = away()
    cache._refresh_or_extend()
    held = cache._entries["a"].until
    cache._refresh_or_extend()
    assert source.reads == [["a"], ["a"]]
    assert cache._entries["a"].until > held


def test_values_hold_no_longer_than_the_grace(source):
    """After the grace period a value must be read from the database."""
    cache = cache_of(source, max_age=0.02, grace=0.0)
    cache.put("a", 1)
    source.error = away()
    cache.start()
    try:
        until(lambda: cache.peek("a") is None)
    finally:
        cache.stop()


def test_a_value_dropped_during_a_read_stays_dropped(source):
    """An example is a key that is revoked just after it was read as valid."""
    reading, dropped = threading.Event(), threading.Event()

    def reread(known):
        reading.set()
        assert dropped.wait(20)
        return known

    cache = RefreshAheadCache("cache", HOUR, reread)
    cache.put("a", 1)
    thread = threading.Thread(target=cache.refresh)
    thread.start()
    assert reading.wait(20)
    cache.drop(lambda key, value: (key, value) == ("a", 1))
    dropped.set()
    thread.join(20)
    assert cache.peek("a") is None


def test_a_full_cache_drops_values_but_not_pinned_ones(source):
    """Stale values are dropped first, and a pinned value is never read again."""
    cache = cache_of(source, capacity=3)
    cache.pin("pinned", 0)
    cache.put("stale", 1, seconds=0.0)
    cache.put("a", 1)
    cache.put("b", 1)
    assert (cache.peek_stale("stale"), cache.peek("a")) == (None, 1)
    cache.put("c", 1)
    assert (cache.peek("a"), cache.peek("c"), cache.peek("pinned")) == (None, 1, 0)
    cache.refresh()
    assert source.reads == [["c"]]
