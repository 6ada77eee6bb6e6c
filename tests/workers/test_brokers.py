"""Real workers with Redis and RabbitMQ: a busy worker, bad messages, and a crash."""

import time

import pytest
from kombu import Connection

from core.queue_names import RUNS
from tests.conftest import bench_in
from tests.rabbitmq import PASSWORD, needs_rabbitmq, rabbitmq_in
from tests.workers.test_faults import (
    CSV,
    SHORT,
    at_epoch,
    ended,
    post,
    read,
    until,
    worker_of,
)

pytestmark = [pytest.mark.keras, pytest.mark.heavy]  # not e2e: CI runs them once
ONCE = SHORT.model_copy(update={"requeue_after_seconds": 600.0})
"""The janitor sends no message again, so that a message which is held back is missed."""
NO_LIMIT = {"epochs": 10_000}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with rabbitmq_in(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=needs_rabbitmq)])
def either_url(request):
    """Return the URL of each broker."""
    if request.param == "redis":
        return request.getfixturevalue("broker_url")
    return request.getfixturevalue("server").url


@pytest.fixture(scope="module")
def bench(tmp_path_factory, server):
    """Yield a service with RabbitMQ; then no log of its worker may have the password."""
    home = tmp_path_factory.mktemp("r") / "home"
    with bench_in(home, server.url, runs=SHORT) as bench:
        bench.upload(CSV)
        yield bench
    for log in bench.settings.home_dir.glob("*.log"):
        assert PASSWORD not in log.read_text()
        assert "for%40tests" not in log.read_text()


@pytest.fixture(scope="module")
def worker(bench):
    with worker_of(bench) as worker:
        assert ended(bench, post(bench))["status"] == "succeeded"
        yield worker


def test_a_busy_worker_holds_no_message_back(tmp_path, either_url):
    """A run that waits behind an endless one is taken by a worker that starts later."""
    with bench_in(tmp_path / "home", either_url, runs=ONCE) as bench, worker_of(bench):
        bench.upload(CSV)
        endless = post(bench, "slow", **NO_LIMIT)
        at_epoch(bench, endless, 1)
        waiting = post(bench)
        time.sleep(1)
        with worker_of(bench):
            assert ended(bench, waiting)["status"] == "succeeded"
            assert read(bench, endless)["status"] == "running"
            bench.client.post(f"/v1/runs/{endless}/cancel")
            ended(bench, endless)


UNREADABLE = [
    {},
    {"body": b"{"},
    {"body": b"\xff\xfe\x00", "content_type": "application/json"},
    {"body": b"x", "content_type": "application/x-python-serialize"},
    {"body": b"x", "content_type": "application/json", "content_encoding": "no-such"},
    {"headers": {"task": "fitserve.unknown"}},
    {"headers": {"task": ["fitserve.train"]}},
    {"headers": {"task": "fitserve.train"}},
    {"headers": {"task": "fitserve.train", "id": "x", "timelimit": 5}},
    {"headers": {"task": "fitserve.train", "id": "x", "eta": "tomorrow"}},
    {"headers": {"task": "fitserve.train", "id": "x", "compression": "bzip2"}},
    {"body": b'{"task": "fitserve.train"}', "content_type": "application/json"},
    {"body": b"[" * 100_000, "content_type": "application/json"},
]


@needs_rabbitmq
def test_messages_that_cannot_be_handled_do_no_harm(bench, server, worker):
    """The worker drops each, keeps its process and its child, and trains the next run."""
    child = worker.child()
    with Connection(server.url) as connection, connection.channel() as channel:
        for fields in UNREADABLE:
            message = channel.prepare_message(**{"body": b"", **fields})
            channel.basic_publish(message, routing_key=RUNS)
        assert ended(bench, post(bench))["status"] == "succeeded"
        assert worker.child() == child
        # the run may have started with an earlier message
        until(lambda: not channel.queue_declare(RUNS, passive=True).message_count)


@needs_rabbitmq
def test_a_run_may_be_longer_than_the_time_for_its_acknowledgement(bench, server, worker):
    """RabbitMQ closes the channel; the run continues, and the worker takes the next one."""
    set_timeout = "application:set_env(rabbit, consumer_timeout, {})."
    server.control("eval", set_timeout.format(1000))
    server.control("close_all_connections", "--global", "to open new channels")
    try:
        run_id = post(bench, "slow", **NO_LIMIT)
        until(lambda: "PRECONDITION_FAILED" in worker.log.read_text())
        epoch = read(bench, run_id)["progress"]["epoch"]
        at_epoch(bench, run_id, epoch + 20)
        bench.client.post(f"/v1/runs/{run_id}/cancel")
        run = ended(bench, run_id)
        assert (run["status"], run["attempt"]) == ("cancelled", 1)
        assert ended(bench, post(bench))["status"] == "succeeded"
        assert worker.process.is_running()
    finally:
        server.control("eval", set_timeout.format(1_800_000))


@needs_rabbitmq
def test_runs_survive_a_crash_of_rabbitmq(bench, server, worker):
    """One trains, one waits, one is posted while it is away; the worker reconnects."""
    readiness = lambda: bench.client.get("/health/ready").json()["parts"]["broker"]  # noqa: E731
    runs = [post(bench, "slow", epochs=150)]
    at_epoch(bench, runs[0], 1)
    runs.append(post(bench))
    server.kill()
    runs.append(post(bench))
    until(lambda: readiness()["status"] == "degraded")
    server.start()
    for run_id in runs:
        run = ended(bench, run_id)
        assert (run["status"], run["attempt"]) == ("succeeded", 1)
    until(lambda: readiness()["status"] == "ok")
    assert worker.process.is_running()
    assert worker.stop() < 20
