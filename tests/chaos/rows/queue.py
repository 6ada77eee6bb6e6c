"""Rows 8 to 11: faults of the broker and of its messages."""

import random
import time
from itertools import pairwise

from core.queue import TRAIN, Queue, make_celery
from core.queue_names import RUNS
from tests.chaos.cluster import Cluster, Restarter, until
from tests.chaos.registry import longest, row
from tests.chaos.rows.workers import succeeded


@row(8, "Every message delivered five times", default=50, full=200)
def duplicates(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Send each message five times: each run is executed once."""
    queue = Queue(make_celery(cluster.settings))
    ids = []
    for number in range(times):
        ids.append(cluster.client.post(number, 3, epoch_ms="20"))
        for _ in range(4):
            queue.send(TRAIN, ids[-1])
    for run_id in ids:
        succeeded(cluster, run_id)
    until(lambda: not cluster.broker.client.llen(RUNS))
    time.sleep(0.5)
    started = [run_id for run_id, _, _ in cluster.executions() if run_id in ids]
    twice = {run_id for run_id in started if started.count(run_id) > 1}
    for run_id in twice:
        cluster.request_log.say(f"{run_id} was executed {started.count(run_id)} times")
    return f"{len(started)} executions of {times} runs"


@row(9, "The broker wiped with runs queued", default=3, full=20)
def wiped(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Flush or kill the broker; measure the longest pause between fits."""
    took, each = [], 30
    for number in range(times):
        seeds = [choice.randrange(9000) for _ in range(each)]
        ids = [cluster.client.post(seed, 3, epoch_ms="30") for seed in seeds]
        time.sleep(choice.uniform(0, 0.5))
        wiped_at = time.time()
        if number % 2:
            cluster.broker.client.flushall()
        else:
            cluster.broker.kill()
            cluster.broker.start()
        for run_id in ids:
            succeeded(cluster, run_id)
        started = [wiped_at, *(at for *_, at in cluster.executions() if at > wiped_at)]
        took += [later - at for at, later in pairwise(started)]
    return f"{times * each} of {times * each} ended; no pause longer than {longest(took)}"


@row(10, "The broker unavailable, then back", default=1, full=3)
def away(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Stop the broker for 20 s (60 s with FULL=1): the API accepts runs, and all runs end."""
    took = []
    seconds = 20 if times == 1 else 60
    with Restarter(cluster):  # a worker without messages for too long ends itself
        took.extend(_away(cluster, seconds, choice) for _ in range(times))
    return f"{seconds} s away: all 202, first run {longest(took)} after its return"


def _away(cluster: Cluster, seconds: float, choice: random.Random) -> float:
    """Return the seconds from the broker's return until a run of that time has ended."""
    cluster.broker.kill()
    until_back, ids = time.monotonic() + seconds, []
    while time.monotonic() < until_back:
        ids.append(cluster.client.post(choice.randrange(9000), 3, epoch_ms="20"))
        time.sleep(1)
    cluster.broker.start()
    began = time.monotonic()
    until(lambda: any(cluster.client.read(i)["model_version"] for i in ids))
    took = time.monotonic() - began
    for run_id in ids:
        succeeded(cluster, run_id)
    return took


UNREADABLE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe\x00",
    b'{"body": "e30=", "headers": {}, "properties": {}}',
    b'{"body": 1}',
    b"x" * 100_000,
    b"[" * 100_000,
    b'{"body": "e30=", "properties": {"delivery_tag": 1, "body_encoding": "base64"}}',
)


@row(11, "Invalid messages in the queue", default=2, full=20, workers=1)
def unreadable(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Queue unreadable messages: the worker drops them and trains the next run."""
    for _ in range(times):
        for message in UNREADABLE:
            cluster.broker.client.lpush(RUNS, message)
        succeeded(cluster, cluster.client.post(choice.randrange(9000), 3))
    queue = Queue(make_celery(cluster.settings))
    queue.send("fitserve.unknown", "x")
    for subject in ("", "run_none", "../../etc/passwd", "x" * 10_000, "\0"):
        queue.send(TRAIN, subject)
    succeeded(cluster, cluster.client.post(choice.randrange(9000), 3))
    if not cluster.workers[0].is_alive:
        cluster.request_log.say("the worker ended at an unreadable message")
    return f"{times * len(UNREADABLE) + 6} messages, the worker survived"
