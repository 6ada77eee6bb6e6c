"""The URLs of brokers, and what sending a message does while the broker is away."""

import socket
import time
from functools import partial

import pytest
from kombu import Connection
from pydantic import ValidationError

from core.health import checks
from core.health.parts import State
from core.queue import READ, TRAIN, Queue, make_celery
from core.queue_names import DATASETS, RUNS
from core.settings import Settings
from tests.live import free_port
from tests.rabbitmq import PASSWORD, needs_rabbitmq, rabbitmq_in
from tests.timing import until


def queue_of(url):
    return Queue(make_celery(Settings(broker_url=url)))


@pytest.mark.parametrize(
    "url",
    [
        "redis://:password@host:6379/0",
        "rediss://host",
        "redis+socket:///run/redis.sock",
        "amqp://user:password@host:5672//vhost",
        "amqps://host",
    ],
)
def test_redis_and_rabbitmq_are_accepted(url):
    assert Settings(broker_url=url).resolved_broker_url == url


@pytest.mark.parametrize("url", ["sqs://key:secret@", "localhost:6379", "memory://"])
def test_another_broker_is_refused_without_its_password(monkeypatch, url):
    """The message names the accepted schemes and an example."""
    monkeypatch.setenv("FITSERVE_BROKER_URL", url)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    message = refusal.value.errors()[0]["msg"]
    assert "redis, rediss, redis+socket, amqp, amqps" in message
    assert "amqp://user:password@host:5672/vhost" in message
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_does_not_answer_degrades_within_the_deadline(scheme):
    """It accepts connections and is silent, or refuses them."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        part = checks.check_broker(queue_of(f"{scheme}://127.0.0.1:{port}"))
        assert part.state == State.DEGRADED
        assert time.monotonic() - began < 0.8
    part = checks.check_broker(queue_of(f"{scheme}://127.0.0.1:{free_port()}"))
    assert part.state == State.DEGRADED
    assert "Error" in part.detail


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_refuses_connections_delays_no_request(scheme):
    """The janitor sends the message again, not the request."""
    queue = queue_of(f"{scheme}://127.0.0.1:{free_port()}")
    began = time.monotonic()
    assert not queue.send(TRAIN, "run_1")
    assert time.monotonic() - began < 1


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with rabbitmq_in(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


def depth(server):
    """Return the number of messages of each queue."""
    with Connection(server.url) as connection, connection.channel() as channel:
        declare = partial(channel.queue_declare, passive=True)
        return [declare(name).message_count for name in (RUNS, DATASETS)]


@pytest.mark.heavy
@needs_rabbitmq
class TestRabbitMQ:
    def test_both_queues_are_quorum_queues(self, server):
        """A message is confirmed, so it is on disk."""
        queue = queue_of(server.url)
        assert queue.send(TRAIN, "run_1")
        assert queue.send(READ, "dataset_1")
        assert depth(server) == [1, 1]
        words = ("list_queues", "-p", "/fitserve", "--no-table-headers", "name", "type")
        lines = server.control(*words).splitlines()
        assert {f"{RUNS}\tquorum", f"{DATASETS}\tquorum"} == set(lines)

    def test_a_wrong_password_is_an_unavailable_broker(self, server, caplog):
        """The log says why, without a password."""
        wrong = server.url.replace("only", "wrong")
        assert not queue_of(wrong).send(TRAIN, "run_2")
        assert not queue_of(f"{server.url}-missing").send(TRAIN, "run_2")
        assert "ACCESS_REFUSED" in caplog.text
        assert "not found" in caplog.text
        assert "for%40tests" not in caplog.text
        assert PASSWORD not in caplog.text
        assert checks.check_broker(queue_of(wrong)).state == State.DEGRADED

    def test_a_classic_queue_of_the_same_name_is_reported(self, server, caplog):
        """Messages are not sent, until somebody deletes the queue."""
        server.control("add_vhost", "other")
        server.control("set_permissions", "-p", "other", "tests", ".*", ".*", ".*")
        url = server.url.replace("//fitserve", "/other")
        with Connection(url) as connection, connection.channel() as channel:
            channel.queue_declare(RUNS, durable=True, auto_delete=False)
            queue = queue_of(url)
            assert not queue.send(TRAIN, "run_3")
            assert "PRECONDITION_FAILED" in caplog.text
            channel.queue_delete(RUNS)
        assert queue.send(TRAIN, "run_3")

    def test_a_full_disk_delays_a_request_by_seconds(self, server):
        """RabbitMQ then accepts messages but confirms none; later it does."""
        queue = queue_of(server.url)
        assert queue.send(TRAIN, "run_4")
        server.control("set_disk_free_limit", "100000GB")
        try:
            began = time.monotonic()
            assert not queue.send(TRAIN, "run_4")
            assert time.monotonic() - began < 7
            assert not queue.send(TRAIN, "run_4")
        finally:
            server.control("set_disk_free_limit", "1MB")
        assert queue.send(TRAIN, "run_4")

    def test_a_hung_rabbitmq_delays_a_request_by_seconds(self, server):
        """It keeps its connections, and accepts new ones without a word."""
        queue = queue_of(server.url)
        assert queue.send(TRAIN, "run_4")
        server.pause()
        try:
            for limit in (7, 4):
                began = time.monotonic()
                assert not queue.send(TRAIN, "run_4")
                assert time.monotonic() - began < limit
            assert checks.check_broker(queue).state == State.DEGRADED
        finally:
            server.pause(is_paused=False)
        assert queue.send(TRAIN, "run_4")

    def test_messages_are_sent_again_after_a_crash(self, server):
        """Meanwhile sending fails at once; what was confirmed is still there."""
        queue = queue_of(server.url)
        with Connection(server.url) as connection, connection.channel() as channel:
            channel.queue_purge(RUNS)
        assert queue.send(TRAIN, "run_5")
        server.kill()
        for _ in range(3):
            began = time.monotonic()
            assert not queue.send(TRAIN, "run_5")
            assert time.monotonic() - began < 2
        assert checks.check_broker(queue).state == State.DEGRADED
        server.start()
        until(lambda: depth(server)[0] == 1)
        assert queue.send(TRAIN, "run_5")
        assert checks.check_broker(queue).state == State.OK
