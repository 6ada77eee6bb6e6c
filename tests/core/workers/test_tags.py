"""Test how tags of workers are written, and which runs a worker with tags can train."""

import pytest

from core.queue_names import queue_of, queues_of_worker
from core.workers.tags import joined, split, subsets


@pytest.mark.parametrize(
    ("tags", "text"),
    [([], ""), (["gpu"], "gpu"), (["large-memory", "gpu", "gpu"], "gpu.large-memory")],
)
def test_tags_are_written_sorted_and_once(tags, text):
    assert joined(tags) == text
    assert split(text) == sorted(set(tags))


def test_a_worker_accepts_every_choice_of_its_tags():
    accepted = subsets(["c", "a", "b"])
    assert accepted == ["", "a", "b", "c", "a.b", "a.c", "b.c", "a.b.c"]


def test_runs_with_equal_tags_share_a_queue():
    """The queue of runs without tags keeps its name, which older workers know."""
    assert queue_of("") == "fitserve"
    assert queues_of_worker(["gpu"]) == ["fitserve", "fitserve.gpu"]
