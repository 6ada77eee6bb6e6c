"""Waiting requests hold nothing that other requests need."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from service.app import create_app
from service.routes import runs
from tests.live import live
from tests.timing import until

SPEC = {"dataset": "table", "target": "y"}


@pytest.fixture
def queued(bench):
    """Queue a run that no worker trains."""
    bench.upload("x,y\n" + "".join(f"{i},{i * 7 % 10}\n" for i in range(20)))
    return bench.post(SPEC)


def test_a_slow_download_holds_no_connection_to_the_database(bench):
    """Otherwise fifty downloads would use all connections."""
    bench.upload("x,y\n" + "".join(f"{i},{'a' * 1000}\n" for i in range(7_000)), "big")
    app = create_app(bench.settings)
    pool = app.state.services.database.engine.pool
    ask = b"GET /v1/datasets/big/content HTTP/1.1\r\nhost: localhost\r\n\r\n"
    with live(app) as url, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        connection.sendall(ask)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"  # the rest is not sent yet
        assert pool.checkedout() == 0


def test_waiting_requests_leave_threads_to_others(bench, queued, monkeypatch):
    """Fifty reads that hang do not block the list of models."""
    go_on, looks, limited = threading.Event(), [], runs.run_limited

    def stuck(read, *asked):
        go_on.wait(60)
        return read(*asked)

    async def look_again(*asked):  # each request reads the run once before it waits
        looks.append(asked)
        return await limited(stuck, *asked)

    monkeypatch.setattr(runs, "run_limited", look_again)
    monkeypatch.setattr("service.polling._SECONDS", 0.01)
    with (
        live(create_app(bench.settings)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
        ThreadPoolExecutor(50) as clients,
    ):
        wait = f"/v1/runs/{queued}?wait=60"
        waiting = [clients.submit(client.get, wait) for _ in range(50)]
        until(lambda: len(looks) == 50)
        try:
            assert client.get("/v1/models", timeout=20).status_code == 200
        finally:
            go_on.set()
            bench.client.post(f"/v1/runs/{queued}/cancel")
        assert {answer.result().status_code for answer in waiting} == {200}


def test_a_stopping_server_answers_the_requests_that_wait(bench, queued, monkeypatch):
    """The answers are complete: the run as it is, and the end of the stream."""
    app = create_app(bench.settings)
    polling, waits = app.state.services.polling, set()
    pause = polling.pause

    async def recorded(deadline):
        waits.add(deadline)
        return await pause(deadline)

    monkeypatch.setattr(polling, "pause", recorded)
    with ThreadPoolExecutor(2) as clients:
        with live(app) as url:
            run = f"{url}/v1/runs/{queued}"
            waiting = clients.submit(httpx.get, f"{run}?wait=60", timeout=60)
            stream = clients.submit(httpx.get, f"{run}/events", timeout=60)
            until(lambda: len(waits) >= 2)
        assert waiting.result().json()["status"] == "queued"
        assert "event: status" in stream.result().text
