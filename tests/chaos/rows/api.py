"""Rows 13 to 15, 33 and 34: faults of API processes, and clients that disconnect or cancel."""

import random
import socket
import threading
import time
import uuid
from typing import Any, Self

import httpx
from httpx_sse import connect_sse

from tests.chaos.client import KEY, spec
from tests.chaos.cluster import Cluster, Restarter
from tests.chaos.registry import longest, row
from tests.chaos.request_log import ENDED
from tests.chaos.rows.workers import succeeded

MIB = 1024 * 1024


@row(13, "SIGKILL on the API in the middle of an upload", default=20, full=100, workers=0)
def killed_in_upload(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Kill the API at a random byte: no dataset or file remains; a repeated upload works."""
    body = b"x,y\n" + b"12345.25,1\n" * 200_000
    for number in range(times):
        _send_some(cluster, f"part-{number}", body, choice.randrange(len(body)))
        cluster.apis[0].kill()
        cluster.apis[0].start()
        names = cluster.client.insist("GET", "/v1/datasets").json()["items"]
        if any(d["name"].startswith("part") for d in names):
            cluster.request_log.say("a part of an upload became a dataset")
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    again = {"params": {"name": "whole"}, "content": body, "headers": headers}
    whole = cluster.client.insist("POST", "/v1/datasets", **again).json()
    if whole["num_bytes"] != len(body):
        cluster.request_log.say(f"the retry stored {whole['num_bytes']} bytes")
    return "0 partial datasets"


def _send_some(cluster: Cluster, name: str, body: bytes, count: int) -> None:
    host, port = cluster.url.removeprefix("http://").split(":")
    head = (
        f"POST /v1/datasets?name={name} HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body[:count])
        time.sleep(0.05)


@row(14, "SIGKILL on the API between commit and publish", default=20, full=100, workers=1)
def killed_before_sending(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Kill the API before the run is published: the run starts nevertheless."""
    failpoints, took = cluster.home / "failpoints", []
    failpoints.mkdir(exist_ok=True)
    with Restarter(cluster):
        for _ in range(times):
            (failpoints / "send").touch()
            key = {"Idempotency-Key": uuid.uuid4().hex}
            body = spec(choice.randrange(9000), 3, epoch_ms="20")
            if cluster.client.ask("POST", "/v1/runs", json=body, headers=key):
                cluster.request_log.say("the API was not killed")
            began = time.monotonic()
            run = cluster.client.insist("POST", "/v1/runs", json=body, headers=key).json()
            cluster.client.request_log.note_accepted(run)
            succeeded(cluster, run["id"])
            took.append(time.monotonic() - began)
    listed = cluster.client.insist("GET", "/v1/runs?limit=200").json()["items"]
    if len(listed) != times:
        cluster.request_log.say(f"{len(listed)} runs of {times} posts")
    return f"{times} of {times} ended, within {longest(took)} of the kill"


@row(15, "SIGKILL on an API process under predict load", default=10, full=20, apis=2)
def killed_under_load(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Kill one API process: the other one answers, and every answer is right."""
    succeeded(cluster, cluster.client.post(5, 4, model="p"))
    load = Load(cluster, {1: (5, 4)})
    with Restarter(cluster), load:
        for _ in range(times):
            time.sleep(choice.uniform(0.5, 1.5))
            cluster.apis[choice.randrange(2)].kill()
            time.sleep(2.0)
    return (
        f"{load.answered} answers, {load.broken} connections broken; longest time "
        f"without an answer {load.longest_pause:.1f} s"
    )


class Load:
    """Send predictions in two threads until the block ends, with a pause after each."""

    def __init__(
        self, cluster: Cluster, seeds: dict[int, tuple[int, int]], pause: float = 0.04
    ) -> None:
        self.answered = self.broken = 0
        self.longest_pause = 0.0
        self._cluster = cluster
        self._seeds = seeds
        self._pause = pause
        self._last = time.monotonic()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def _ask(self) -> None:
        while not self._stopped.wait(self._pause):
            if self._cluster.client.predict(self._seeds, "p", random.random()):
                now = time.monotonic()
                self.longest_pause = max(self.longest_pause, now - self._last)
                self._last = now
                self.answered += 1
            else:
                self.broken += 1

    def __enter__(self) -> Self:
        self._last = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


@row(24, "Promotions under predict load", default=30, full=100, apis=2)
def promoted(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Promote under load: no request fails, and each answer is from exactly one version."""
    seeds = {1: (5, 4), 2: (6, 5)}
    for seed, epochs in seeds.values():
        succeeded(cluster, cluster.client.post(seed, epochs, model="p"))
    path = "/v1/models/p/aliases/live"
    cluster.client.insist("PUT", path, json={"version": 1})
    load = Load(cluster, seeds)
    with load:
        for number in range(times):
            cluster.client.insist("PUT", path, json={"version": 2 - number % 2})
            _aliased(cluster, seeds, choice.random())
            time.sleep(0.1)
            _aliased(cluster, seeds, choice.random())
    if load.broken:
        cluster.request_log.say(f"{load.broken} requests failed")
    return f"{times} promotions, {load.answered} answers, {load.broken} errors"


def _aliased(cluster: Cluster, seeds: dict[int, tuple[int, int]], x: float) -> None:
    from tests.chaos.stand_in.weights import prediction

    body = {"instances": [{"x": x}]}
    path = "/v1/models/p/aliases/live/predict"
    answer = cluster.client.insist("POST", path, json=body).json()
    if answer["predictions"] != [prediction(*seeds[answer["model_version"]], x)]:
        cluster.request_log.say(f"a mix of versions: {answer}")


@row(33, "A client of server-sent events that drops", default=20, full=100)
def dropped_events(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Reconnect with Last-Event-ID: the client receives every epoch once."""
    cuts = 0
    while cuts < times:
        run_id = cluster.client.post(choice.randrange(9000), 30, epoch_ms="40")
        received: list[int] = []
        while not _listen(cluster, run_id, received, choice.randrange(1, 8)):
            cuts += 1
        history = cluster.client.insist("GET", f"/v1/runs/{run_id}/history").json()
        if received != history["epoch"]:
            cluster.request_log.say(
                f"{run_id}: received {received}, has {history['epoch']}"
            )
    return f"{cuts} cuts, 0 gaps, 0 repeats"


def _listen(cluster: Cluster, run_id: str, received: list[int], most: int) -> bool:
    """Receive so many epochs and disconnect. Return True if the run ended earlier."""
    headers = {"Authorization": f"Bearer {KEY}"}
    if received:
        headers["Last-Event-ID"] = str(received[-1])
    url = f"{cluster.url}/v1/runs/{run_id}/events"
    with (
        httpx.Client(timeout=30) as http,
        connect_sse(http, "GET", url, headers=headers) as source,
    ):
        for event in source.iter_sse():
            if event.event == "status" and event.json()["status"] in ENDED:
                return True
            if event.event == "epoch":
                received.append(int(event.id))
                most -= 1
            if not most:
                return False
    return False


@row(34, "Cancelled at a random moment", default=40, full=300)
def cancelled(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Cancel a run: it ends once and soon, and the end does not change."""
    took = []
    for _ in range(times):
        run_id = cluster.client.post(choice.randrange(9000), 10)
        time.sleep(choice.uniform(0, 0.9))
        cluster.client.cancel(run_id)
        began = time.monotonic()
        run: dict[str, Any] = cluster.client.ended(run_id)
        took.append(time.monotonic() - began)
        if run["status"] == "failed":
            cluster.request_log.say(f"{run_id}: {run['error']}")
    return f"one end each, within {max(took):.2f} s"
