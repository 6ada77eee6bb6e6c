"""Test `AsyncClient`, which has the same methods as `Client`."""

import asyncio
import inspect

import anyio
import anyio.lowlevel
import pytest

from fitserve import AsyncClient, Client, ConnectionFailed, DatasetNotFound, RunFailed
from fitserve.client.following import EpochEvent
from fitserve.enums import RunStatus
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem, sse


@pytest.fixture
def awaited(wire):
    """Run a function of an AsyncClient in an event loop."""

    def run(work):
        async def whole():
            async with AsyncClient(wire.url) as client:
                return await work(client)

        return asyncio.run(whole())

    return run


def public(resource):
    found = {n: getattr(resource, n) for n in dir(resource) if not n.startswith("_")}
    return {n: inspect.signature(call) for n, call in found.items() if callable(call)}


@pytest.mark.parametrize("noun", ["datasets", "runs", "models"])
def test_both_clients_have_the_same_methods(noun):
    """Names, arguments and docstrings of the methods are equal."""
    blocking, other = getattr(Client(), noun), getattr(AsyncClient(), noun)
    assert public(blocking) == public(other)
    for name in public(blocking):
        assert getattr(blocking, name).__doc__
        assert not inspect.iscoroutinefunction(getattr(blocking, name))


def test_both_clients_have_the_same_short_calls():
    """The calls are predict, openapi and close."""
    assert list(public(Client())) == list(public(AsyncClient()))


def test_a_table_is_uploaded_and_its_content_saved(wire, awaited, tmp_path):
    """Files are read and written in threads."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    wire.answers("GET /v1/datasets/wine/content", Answer(b"a\n1\n", type="text/csv"))
    path = tmp_path / "wine.csv"
    path.write_bytes(b"alcohol\n" + b"9.5\n" * 50_000)
    progress = []

    async def work(client):
        read = await client.datasets.upload(
            path, on_progress=lambda *n: progress.append(n)
        )
        saved = await client.datasets.content("wine", tmp_path / "out.csv")
        return read.id, saved.read_bytes()

    assert awaited(work) == ("ds_1", b"a\n1\n")
    assert wire.asked[0].body == path.read_bytes()
    assert progress[-1] == (200_008, 200_008)


def test_pages_are_an_async_iterator(wire, awaited):
    """A page is requested only when it is needed."""
    wire.answers(
        "GET /v1/runs",
        bodies.page(bodies.run(), cursor="run_1"),
        bodies.page(bodies.run(id="run_0")),
    )

    async def work(client):
        return [run.id async for run in client.runs.list(model="wine")]

    assert awaited(work) == ["run_1", "run_0"]
    assert wire.asked[1].query == {"model": "wine", "cursor": "run_1"}


def test_wait_accepts_functions_and_coroutine_functions(wire, awaited):
    """`wait` awaits the result of on_epoch if possible."""
    epochs = [("epoch", bodies.epoch(number)) for number in (1, 2)]
    wire.answers("GET /v1/runs/run_1/events", sse(*epochs, ("status", bodies.run())))
    received = []

    async def slowly(event):
        await anyio.lowlevel.checkpoint()
        received.append(-event.epoch)

    async def work(client):
        await client.runs.wait("run_1", lambda event: received.append(event.epoch))
        return await client.runs.wait("run_1", on_epoch=slowly)

    assert awaited(work).model_version == 2
    assert received == [1, 2, -1, -2]


def test_a_broken_stream_is_resumed(wire, awaited):
    """Each epoch and status arrives once, and the ended run last."""
    cut = sse(("status", bodies.run("running")), ("epoch", bodies.epoch(1)), is_cut=True)
    rest = sse(("epoch", bodies.epoch(2)), ("status", bodies.failed_run()))
    wire.answers("GET /v1/runs/run_1/events", cut, rest)
    wire.answers("GET /v1/runs/run_1", bodies.run("running"))

    async def work(client):
        events = client.runs.stream("run_1")
        return [e.epoch if isinstance(e, EpochEvent) else e.status async for e in events]

    assert awaited(work) == [RunStatus.RUNNING, 1, 2, RunStatus.FAILED]


def test_failures_raise_the_same_exceptions(wire, awaited):
    """Failures are a refusal, a failed run and a broken connection."""
    wire.answers("GET /v1/datasets/x", problem(404, "dataset-not-found", "None."))
    wire.answers("GET /v1/runs/run_1/events", sse(("status", bodies.failed_run())))
    wire.answers("DELETE /v1/datasets/x", Answer(b"{", is_cut=True))

    async def work(client):
        with pytest.raises(DatasetNotFound):
            await client.datasets.get("x")
        with pytest.raises(RunFailed, match="NaN"):
            await client.runs.wait("run_1")
        with pytest.raises(ConnectionFailed):
            await client.datasets.delete("x")

    awaited(work)


def test_a_waiting_call_does_not_block_others(wire, awaited):
    """A model is read while a stream is silent."""
    wire.answers("GET /v1/runs/run_1/events", sse(hold=20.0))
    wire.answers("GET /v1/models/wine", bodies.model())

    async def waiting(client):
        async for _ in client.runs.events("run_1"):
            pass

    async def work(client):
        stream = asyncio.create_task(waiting(client))
        while not wire.asked:  # noqa: ASYNC110  another thread fills the list
            await asyncio.sleep(0.01)
        found = await client.models.get("wine")
        assert not stream.done()
        stream.cancel()
        return found.name

    assert awaited(work) == "wine"


def test_the_blocking_client_works_inside_an_event_loop(wire):
    """A notebook has such a loop; a list that is not read to its end is closed."""
    wire.answers("GET /v1/runs", bodies.page(bodies.run(), cursor="run_1"))
    wire.answers("GET /v1/runs/run_1/events", sse(("status", bodies.run())))

    async def cell():
        with Client(wire.url) as client:
            newest = next(client.runs.list())
            return client.runs.wait(newest.id).status

    assert asyncio.run(cell()) == RunStatus.SUCCEEDED


def test_the_blocking_client_refuses_coroutines(wire, client):
    """The client could never await a coroutine; the error names AsyncClient."""
    wire.answers(
        "GET /v1/runs/run_1/events",
        sse(("epoch", bodies.epoch(1)), ("status", bodies.run())),
    )

    async def on_epoch(_):
        await asyncio.sleep(0)

    with pytest.raises(TypeError, match="AsyncClient"):
        client.runs.wait("run_1", on_epoch=on_epoch)


def test_strict_is_sent(wire, awaited):
    """The test uses the short call `client.predict`."""
    body = {"model_name": "w", "model_version": 1, "predictions": [1.0]}
    wire.answers("POST /v1/predict", body)
    awaited(lambda client: client.predict("w", [{"x": 1}], strict=True))
    assert wire.asked[0].query == {"strict": "true"}
