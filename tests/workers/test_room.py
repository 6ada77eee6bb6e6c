"""Test that one of several training processes stays free for small runs."""

from workers.room import Room


def test_a_single_process_trains_long_runs():
    room = Room(1)
    assert room.take(0)
    assert room.has_place(0)


def test_any_one_of_three_processes_stays_free():
    """The process that starts no long run stays free."""
    room = Room(3)
    assert room.take(2)
    assert room.take(0)
    assert not room.take(1)
    room.leave(2)
    assert room.take(1)
    assert not room.has_place(2)


def test_a_replaced_process_has_no_long_run():
    """The process that takes the place of a killed one removes its mark."""
    room = Room(2)
    assert room.take(0)
    assert not room.has_place(1)
    room.leave(0)
    assert room.take(1)
