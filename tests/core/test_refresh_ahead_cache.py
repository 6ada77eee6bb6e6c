"""Values in use stay fresh, idle ones expire, and all outlast a lost database."""

import threading

import pytest
from sqlalchemy.exc import OperationalError

from core import refresh_ahead_cache
from core.refresh_ahead_cache import RefreshAheadCache
from tests.timing import Clock, until

HOUR = 3600.0


class Source:
    """What values are read from, with the keys that were read."""

    def __init__(self):
        self.values, self.asked, self.error = {}, [], None

    def reread(self, known):
        self.asked.append(sorted(known))
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
    """A changed value is replaced, a missing one dropped, an idle one not read."""
    cache = cache_of(source)
    for key in ("changed", "gone", "idle"):
        cache.put(key, "old")
    source.values = {"changed": "old", "gone": "old", "idle": "old"}
    cache.refresh()
    assert [cache.peek(key) for key in ("changed", "gone")] == ["old", "old"]
    source.values = {"changed": "new"}
    cache.refresh()
    assert source.asked[1] == ["changed", "gone"]
    assert (cache.peek("changed"), cache.peek("gone")) == ("new", None)
    assert cache.peek("idle") == "old"


def test_chosen_values_are_read_whether_in_use_or_not(source):
    """For who knows that they have changed."""
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
    """An idle service leaves the database alone."""
    cache_of(source).refresh()
    assert source.asked == []


def test_a_value_is_served_no_longer_than_its_age(source):
    """Nor longer than it is valid; it is still known."""
    cache = cache_of(source, max_age=0.01)
    cache.put("a", 1)
    expiring = cache_of(source)
    expiring.put("a", 1, seconds=0.01)
    until(lambda: cache.peek("a") is None and expiring.peek("a") is None)
    assert cache.peek_stale("a") == 1


def test_the_thread_keeps_a_used_value_fresh(source, monkeypatch):
    """It is read again and again before it is too old."""
    clock = Clock()
    monkeypatch.setattr(refresh_ahead_cache, "time", clock)
    cache = cache_of(source, max_age=0.02)
    source.values = {"a": 1}
    cache.put("a", 1)

    def is_read_twice():
        assert cache.peek("a") == 1
        return len(source.asked) >= 2

    cache.start()
    try:
        for _ in range(4):
            clock.now += 0.015
            source.asked.clear()
            until(is_read_twice)
    finally:
        cache.stop()


def test_values_hold_while_the_database_is_away(source, caplog):
    """It is logged once; a value that expires still ends."""
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
    assert len(source.asked) == 2
    assert caplog.text.count("the database is unavailable") == 1


def test_values_hold_while_the_database_is_away_and_nobody_asks(source):
    """A failed read leaves the values due, so that the next one is not skipped."""
    cache = cache_of(source)
    cache.put("a", 1)
    source.error = away()
    cache._refresh_or_extend()
    held = cache._entries["a"].until
    cache._refresh_or_extend()
    assert source.asked == [["a"], ["a"]]
    assert cache._entries["a"].until > held


def test_values_hold_no_longer_than_the_grace(source):
    """Afterwards the database must be asked."""
    cache = cache_of(source, max_age=0.02, grace=0.0)
    cache.put("a", 1)
    source.error = away()
    cache.start()
    try:
        until(lambda: cache.peek("a") is None)
    finally:
        cache.stop()


def test_a_value_dropped_during_a_read_stays_dropped(source):
    """As a revoked key that was read as valid just before."""
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


def test_a_full_cache_makes_room_and_keeps_what_is_pinned(source):
    """Stale values go first; a pinned one is never read again."""
    cache = cache_of(source, capacity=3)
    cache.pin("pinned", 0)
    cache.put("stale", 1, seconds=0.0)
    cache.put("a", 1)
    cache.put("b", 1)
    assert (cache.peek_stale("stale"), cache.peek("a")) == (None, 1)
    cache.put("c", 1)
    assert (cache.peek("a"), cache.peek("c"), cache.peek("pinned")) == (None, 1, 0)
    cache.refresh()
    assert source.asked == [["c"]]
