"""The supervisor asks the embedded broker whether datasets wait."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from core.queue import READ, TRAIN, Queue, make_celery
from core.settings import Settings
from ops.supervisor.waiting_datasets import HasWaitingDatasets
from tests.servers import IS_SCALE_OUT, redis_of

pytestmark = pytest.mark.skipif(IS_SCALE_OUT, reason="the broker has no socket")


def test_only_a_message_for_readers_makes_datasets_wait(tmp_path):
    with redis_of(tmp_path) as url:
        queue = Queue(make_celery(Settings(home=tmp_path, broker_url=url)))
        waiting = HasWaitingDatasets(Path(urlsplit(url).path))
        queue.send(TRAIN, "run_1")
        assert not waiting()
        queue.send(READ, "dataset_1")
        assert waiting()


def test_no_dataset_waits_while_the_broker_is_away(tmp_path):
    assert not HasWaitingDatasets(tmp_path / "none.sock")()
