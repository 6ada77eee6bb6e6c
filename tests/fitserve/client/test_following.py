"""Test `client.runs.wait` with broken connections."""

import time

import pytest

from fitserve import ConnectionFailed, NotFound, RunFailed
from fitserve.client import following, transport
from fitserve.enums import RunStatus
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem, sse

EVENTS = "GET /v1/runs/run_1/events"
RUN = "GET /v1/runs/run_1"
HISTORY = "GET /v1/runs/run_1/history"
RUNNING = bodies.run("running", progress={"epoch": 2, "epochs": 5, "eta_seconds": 3.0})


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(transport, "BRIEFLY", (0.0, 0.0))
    monkeypatch.setattr(following, "_PAUSE", 0.01)


@pytest.fixture
def wait(client):
    """Return a function that calls `wait`, and returns the run and the reported epochs."""

    def wait(**options):
        received = []
        run = client.runs.wait("run_1", lambda e: received.append(e.epoch), **options)
        return run, received

    return wait


def epochs(*numbers):
    return [("epoch", bodies.epoch(number)) for number in numbers]


def test_every_epoch_is_reported_and_the_run_returned(wire, wait):
    """One stream is sufficient; no other request is sent."""
    end = ("status", bodies.run())
    wire.answers(EVENTS, sse(("status", RUNNING), *epochs(1, 2, 3), end))
    run, received = wait()
    assert (run.status, run.model_version, received) == ("succeeded", 2, [1, 2, 3])
    assert wire.paths() == ["/v1/runs/run_1/events"]


def test_a_broken_stream_is_resumed(wire, wait):
    """Last-Event-ID is the last received epoch; no epoch is reported twice."""
    end = ("status", bodies.run())
    wire.answers(EVENTS, sse(*epochs(1, 2), is_cut=True), sse(*epochs(2, 3), end))
    wire.answers(RUN, RUNNING)
    assert wait()[1] == [1, 2, 3]
    streams = [asked for asked in wire.asked if asked.path.endswith("/events")]
    assert streams[1].headers["last-event-id"] == "2"


@pytest.mark.parametrize("stream", [Answer({}), problem(503, "unavailable", "Later.")])
def test_without_a_stream_the_run_is_polled(wire, wait, stream):
    """The client uses `?wait=`, and reports each epoch of the history once."""
    wire.answers(EVENTS, stream)
    wire.answers(RUN, RUNNING, bodies.run())
    wire.answers(HISTORY, bodies.history(2), bodies.history(3))
    run, received = wait()
    assert (run.status, received) == ("succeeded", [1, 2, 3])
    assert float(next(a.query["wait"] for a in wire.asked if a.query)) > 1


def test_without_a_callback_no_history_is_fetched(wire, client):
    wire.answers(EVENTS, Answer({}))
    wire.answers(RUN, bodies.run())
    assert client.runs.wait("run_1").status == RunStatus.SUCCEEDED
    assert "/v1/runs/run_1/history" not in wire.paths()


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_failed_run_raises_its_problem(wire, wait, is_streamed):
    """The run is streamed or polled."""
    failed = bodies.failed_run()
    wire.answers(EVENTS, sse(("status", failed)) if is_streamed else Answer({}))
    wire.answers(RUN, failed)
    with pytest.raises(RunFailed, match=r"run_1 failed: The loss became NaN") as caught:
        wait()
    assert caught.value.run.error.type == "/problems/nan-loss"


def test_a_cancelled_run_is_returned(wire, wait):
    """Only a failed run raises an error."""
    wire.answers(EVENTS, sse(("status", bodies.run("cancelled"))))
    assert wait()[0].status == RunStatus.CANCELLED


def test_the_timeout_applies_to_a_silent_stream(wire, wait):
    """A queued run may send no event for long."""
    wire.answers(EVENTS, sse(("status", bodies.run("queued")), hold=10.0))
    wire.answers(RUN, bodies.run("queued"))
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="run_1 has not ended in time; it continues"):
        wait(timeout=0.3)
    assert 0.3 <= time.monotonic() - began < 3


def test_the_timeout_applies_between_epochs(wire, wait):
    """The client checks the time after each event of a busy stream."""
    wire.answers(EVENTS, sse(*epochs(1, 2, 3), ("status", bodies.run())))
    with pytest.raises(TimeoutError):
        wait(timeout=-1)


def test_an_unavailable_service_ends_the_wait(wire, wait, monkeypatch):
    """The client retries for a while first."""
    monkeypatch.setattr(following, "_AWAY_SECONDS", 0.2)
    wire.answers(EVENTS, Answer(status=503))
    wire.answers(RUN, Answer(b"", is_cut=True))
    with pytest.raises(ConnectionFailed):
        wait()
    assert wire.paths().count("/v1/runs/run_1/events") > 1


def test_a_wait_survives_a_restart_of_the_service(wire, wait):
    wire.answers(EVENTS, Answer(status=503), sse(*epochs(1), ("status", bodies.run())))
    wire.answers(RUN, Answer(status=503))
    assert wait()[1] == [1]


def test_a_missing_run_is_not_waited_for(wire, wait):
    """A 404 is raised immediately."""
    wire.answers(EVENTS, problem(404, "run-not-found", "No run has that id."))
    with pytest.raises(NotFound):
        wait()
    assert len(wire.asked) == 1


def test_an_error_of_the_callback_is_raised(wire, client):
    """The error is neither suppressed nor retried."""
    wire.answers(EVENTS, sse(*epochs(1, 2), ("status", bodies.run())))

    def callback(event):
        raise KeyError(event.epoch)

    with pytest.raises(KeyError, match="1"):
        client.runs.wait("run_1", on_epoch=callback)
