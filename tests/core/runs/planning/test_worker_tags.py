"""Test that a spec names only tags that one worker has."""

import pytest

from core.errors import InvalidSpec
from core.runs.planning.worker_tags import refuse_unknown_tags

WORKERS = [[], ["gpu"], ["large-memory", "ssd"]]


@pytest.mark.parametrize("wanted", [[], ["gpu"], ["ssd", "large-memory"]])
def test_tags_of_one_worker_are_accepted(wanted):
    refuse_unknown_tags(wanted, WORKERS)


@pytest.mark.parametrize(
    ("wanted", "workers", "pointer", "hint"),
    [
        (["gpu", "gpus"], WORKERS, "#/worker_tags/1", "did you mean `gpu`?"),
        (["gpu", "ssd"], WORKERS, "#/worker_tags", "gpu; large-memory, ssd"),
        (["gpu"], [[]], "#/worker_tags/0", "FITSERVE_WORKER_TAGS"),
    ],
)
def test_other_tags_are_refused_with_what_there_is(wanted, workers, pointer, hint):
    with pytest.raises(InvalidSpec) as refused:
        refuse_unknown_tags(wanted, workers)
    (error,) = refused.value.problem().errors
    assert error.pointer == pointer
    assert hint in error.hint
