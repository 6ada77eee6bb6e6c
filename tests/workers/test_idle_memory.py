"""An idle child trims its memory, and is replaced if it stays large."""

import signal
import subprocess
import sys

import pytest

from core.freed_memory import return_freed_memory
from core.supervised import READER_ON_DEMAND
from workers import idle_memory
from workers.idle_memory import IdleMemory, resident_bytes


@pytest.fixture
def left():
    """Return the list to which a child that leaves adds a word."""
    return []


def child(left, idle_seconds=0.0, grown_bytes=0):
    return_freed_memory()  # otherwise an allocation may reuse it
    return IdleMemory(lambda: left.append("left"), 5.0, idle_seconds, grown_bytes)


def test_a_large_idle_child_leaves(left):
    memory = child(left)
    kept = bytearray(b"x" * 2**24)
    memory.check()
    assert left == ["left"], len(kept)


@pytest.mark.parametrize(("seconds", "grown"), [(60.0, 0), (0.0, 2**30)])
def test_a_child_stays_while_it_is_small_or_just_became_idle(left, seconds, grown):
    memory = child(left, seconds, grown)
    kept = bytearray(b"x" * 2**24)
    with memory.at_work():
        pass
    memory.check()
    assert left == [], len(kept)


def test_a_busy_child_stays_and_is_not_trimmed(left, monkeypatch):
    trims = []
    monkeypatch.setattr(
        idle_memory, "return_freed_memory", lambda: trims.append("trimmed")
    )
    memory = child(left, idle_seconds=0.0, grown_bytes=-(2**40))
    with memory.at_work():
        memory.check()
        assert (left, trims) == ([], [])
    memory.check()
    memory.check()
    assert (left, trims) == (["left", "left"], ["trimmed"])


def test_trimming_returns_freed_memory():
    """Many small blocks that are freed except for the last one stay with the allocator."""
    kept = [bytes(1000) for _ in range(100_000)]
    last = kept[-1]
    before = resident_bytes()
    del kept
    idle_memory.return_freed_memory()
    assert before - resident_bytes() > 50 * 2**20, len(last)


READER = """
import os, signal
from workers import idle_memory

idle_memory._READER_IDLE_SECONDS = 0.0
memory = idle_memory.reader_on_demand()
with memory.at_work():
    memory.check()
print("busy", flush=True)
memory.check()
"""


def test_an_idle_reader_on_demand_ends_its_parent():
    """The child sends the signal; this process is the parent."""
    received = []
    former = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        done = subprocess.run(
            [sys.executable, "-c", READER], stdout=subprocess.PIPE, text=True, check=True
        )
    finally:
        signal.signal(signal.SIGTERM, former)
    assert (done.stdout, received) == ("busy\n", [signal.SIGTERM])


ENDING = """
import sys
from workers import idle_memory
idle_memory._READER_IDLE_SECONDS = 0.5
from workers.__main__ import main
sys.argv = ["workers", "datasets"]
main()
"""


def test_a_real_reader_on_demand_ends_without_an_error(bench):
    """The supervisor takes another exit code for a failure."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING],
        env=bench.environment | {READER_ON_DEMAND: "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ending this idle process" in done.stderr + done.stdout
