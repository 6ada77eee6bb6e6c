"""Test retries of a busy service: 429 and `Retry-After`."""

import asyncio
import logging
from dataclasses import replace

import pytest

from fitserve import AsyncClient, Client, TooManyRequests
from fitserve.client import connections, retrying
from fitserve.enums import RunStatus
from service.app import create_app
from service.auth import rate_limits
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem, sse
from tests.live import live
from tests.service.auth.keys import bearing, make_key
from tests.service.small_model import SPEC, TABLE
from tests.timing import Clock

RUN = "GET /v1/runs/run_1"
LATER = replace(
    problem(429, "too-many-requests", "Slower."), headers={"Retry-After": "3"}
)


@pytest.fixture
def pauses(client, monkeypatch):
    """Return the pauses of the client, which does not really sleep."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(client._calls._transport.connection, "sleep", sleep)
    return slept


CALLS = {
    RUN: lambda client: client.runs.get("run_1"),
    "POST /v1/runs": lambda client: client.runs.create(dataset="d", target="t"),
    "PUT /v1/models/w/aliases/live": lambda c: c.models.set_alias("w", "live", 1),
    "DELETE /v1/datasets/d": lambda client: client.datasets.delete("d"),
}


@pytest.mark.parametrize("route", CALLS)
def test_a_refused_request_is_retried(wire, client, pauses, route):
    """The pause is at least Retry-After; DELETE is retried, too, as nothing was deleted."""
    body = bodies.version() if "aliases" in route else bodies.run()
    wire.answers(route, LATER, LATER, Answer(body))
    CALLS[route](client)
    assert len(pauses) == 2
    assert all(3 <= pause <= 3.75 for pause in pauses)
    keys = {asked.headers.get("idempotency-key") for asked in wire.asked}
    assert len(keys) == 1


def test_pauses_grow_without_retry_after(wire, client, pauses):
    """After half a minute in all, the refusal is raised."""
    wire.answers(RUN, problem(429, "too-many-requests", "Slower."))
    with pytest.raises(TooManyRequests, match="Slower"):
        client.runs.get("run_1")
    assert pauses[:4] == sorted(pauses[:4])
    assert 15 < sum(pauses) <= 30
    assert len(wire.asked) == len(pauses) + 1


@pytest.mark.parametrize("retry_after", ["31", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_longer_retry_after_is_not_waited_for(wire, client, pauses, retry_after):
    """The refusal is raised immediately."""
    wire.answers(RUN, replace(LATER, headers={"Retry-After": retry_after}))
    with pytest.raises(TooManyRequests):
        client.runs.get("run_1")
    assert pauses == []


def test_retry_after_applies_to_503(wire, client, pauses):
    """The number of retries is as without Retry-After."""
    wire.answers(RUN, Answer(status=503, headers={"Retry-After": "2"}), bodies.run())
    client.runs.get("run_1")
    assert [int(pause) for pause in pauses] == [2]


def test_without_retries_a_request_is_sent_once(wire):
    wire.answers(RUN, Answer(status=503), bodies.run())
    with (
        Client(wire.url, retry_seconds=0) as client,
        pytest.raises(Exception, match="503"),
    ):
        client.runs.get("run_1")
    assert len(wire.asked) == 1


def test_a_download_is_retried(wire, client, pauses, tmp_path):
    """The retry happens before the first byte is written."""
    route = "GET /v1/datasets/d/content"
    wire.answers(route, LATER, Answer(b"a,b\n", type="text/csv"))
    client.datasets.content("d", tmp_path / "d.csv")
    assert (tmp_path / "d.csv").read_bytes() == b"a,b\n"
    assert len(pauses) == 1


def test_a_wait_survives_a_busy_service(wire, client, pauses):
    """Both the stream and the poll are refused once."""
    wire.answers(f"{RUN}/events", LATER, sse(("status", bodies.run("succeeded"))))
    wire.answers(RUN, LATER, bodies.run("running"))
    assert client.runs.wait("run_1").status == RunStatus.SUCCEEDED


def test_a_long_pause_is_logged(wire, client, pauses, caplog):
    """The logger is `fitserve`."""
    caplog.set_level(logging.INFO, "fitserve")
    wire.answers(RUN, LATER, bodies.run())
    client.runs.get("run_1")
    assert "the service is busy (429); retrying in" in caplog.text


@pytest.mark.parametrize("is_awaited", [False, True])
def test_the_client_keeps_the_rate_limit_of_the_real_service(
    bench, monkeypatch, is_awaited
):
    """The limit is 2 per second; every run is queued once, including the first refused one."""
    busy, after, clock = [], retrying.Retrying.after, Clock()

    def noted(self, answer):
        busy.extend([answer] if answer.status_code == 429 else ())
        return after(self, answer)

    async def sleep(self, seconds):
        clock.now += seconds

    for connection in (connections.Connection, connections.BlockingConnection):
        monkeypatch.setattr(connection, "sleep", sleep)
    monkeypatch.setattr(rate_limits, "time", clock)
    monkeypatch.setattr(retrying.Retrying, "after", noted)
    bench.upload(TABLE)
    key = make_key(bench, limits={"requests_per_second": 2})
    with live(create_app(bench.settings)) as url:
        ids = (
            asyncio.run(created_async(url, key, busy))
            if is_awaited
            else created(url, key, busy)
        )
    queued = bench.client.get("/v1/runs", headers=bearing(make_key(bench))).json()[
        "items"
    ]
    assert ids == [run["id"] for run in reversed(queued)]
    assert [int(answer.headers["retry-after"]) for answer in busy] == [1]


def created(url, key, busy):
    ids = []
    with Client(url, key) as client:
        while not busy:
            ids.append(client.runs.create(SPEC).id)
    return ids


async def created_async(url, key, busy):
    ids = []
    async with AsyncClient(url, key) as client:
        while not busy:
            ids.append((await client.runs.create(SPEC)).id)
    return ids
