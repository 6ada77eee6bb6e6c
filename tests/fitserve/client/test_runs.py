"""Test `client.runs` against the fake server, except `wait`."""

import json

import pytest

from fitserve import ConnectionFailed
from fitserve.client.following import EpochEvent
from fitserve.enums import RunStatus
from fitserve.specs import RunCreate
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, sse

SPEC = {"dataset": "wine", "target": "quality", "fit": {"epochs": 5}}


def as_file(spec, folder):
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    return path


@pytest.mark.parametrize("form", ["dict", "object", "path", "str"])
def test_a_spec_may_be_a_dict_an_object_or_a_file(wire, client, tmp_path, form):
    """The given keys are sent without defaults."""
    wire.answers("POST /v1/runs", Answer(bodies.run("queued"), 202))
    spec = {
        "dict": SPEC,
        "object": RunCreate.model_validate(SPEC),
        "path": as_file(SPEC, tmp_path),
        "str": str(as_file(SPEC, tmp_path)),
    }[form]
    assert client.runs.create(spec).status == RunStatus.QUEUED
    assert wire.asked[0].json == SPEC


def test_overrides_replace_keys_and_do_not_change_the_dict(wire, client):
    wire.answers("POST /v1/runs", Answer(bodies.run("queued"), 202))
    spec = dict(SPEC)
    client.runs.create(spec, fit={"epochs": 2}, model_name="red")
    assert wire.asked[0].json == {**SPEC, "fit": {"epochs": 2}, "model_name": "red"}
    assert spec == SPEC


def test_every_create_has_a_new_idempotency_key(wire, client):
    wire.answers("POST /v1/runs", Answer(bodies.run("queued"), 202))
    for _ in range(2):
        client.runs.create(SPEC)
    first, second = (asked.headers["idempotency-key"] for asked in wire.asked)
    assert first != second


def test_validate_queues_no_run(wire, client):
    body = {
        "spec": {},
        "task": "regression",
        "features": ["alcohol"],
        "excluded": {},
        "layers": [{"type": "Dense", "output_shape": [1], "params": 2}],
        "num_params": 2,
        "num_rows": {"train": 2},
        "num_steps": 1,
        "memory_bytes": 8,
        "warnings": [],
    }
    wire.answers("POST /v1/runs/validate", body)
    assert client.runs.validate(SPEC).layers[0].params == 2
    assert wire.paths() == ["/v1/runs/validate"]


def test_get_waits_only_if_requested(wire, client):
    wire.answers("GET /v1/runs/run_1", bodies.run())
    client.runs.get("run_1")
    client.runs.get("run_1", wait=2.5)
    assert [asked.query for asked in wire.asked] == [{}, {"wait": "2.5"}]


def test_the_repr_of_a_response_is_short(wire, client):
    """The repr has the most important fields; all others are attributes."""
    wire.answers("GET /v1/runs/run_1", bodies.run(spec={"fit": {"seed": 1}}))
    read = client.runs.get("run_1")
    assert repr(read) == (
        "RunRead(id='run_1', status=<RunStatus.SUCCEEDED: 'succeeded'>, "
        "model_name='wine', model_version=2, best_epoch=2, "
        "metrics={'loss': 0.25, 'val_loss': 0.5}, error=None)"
    )
    assert read.spec == {"fit": {"seed": 1}}


def test_list_filters(wire, client):
    wire.answers("GET /v1/runs", bodies.page(bodies.run()))
    assert len(list(client.runs.list(status=RunStatus.FAILED, tag="team:red"))) == 1
    list(client.runs.list(model="wine"))
    assert [asked.query for asked in wire.asked] == [
        {"status": "failed", "tag": "team:red"},
        {"model": "wine"},
    ]


def test_summaries_have_the_filters_of_list(wire, client):
    wire.answers("GET /v1/runs", bodies.page(bodies.run_summary(notes="wider")))
    found = list(client.runs.summaries("failed", "wine", text="wide", dataset="red"))
    assert [(run.id, run.loss, run.notes, run.preset) for run in found] == [
        ("run_1", 0.5, "wider", None)
    ]
    chosen = {"status": "failed", "model": "wine", "text": "wide", "dataset": "red"}
    assert wire.asked[0].query == chosen | {"view": "summary"}


def test_history_and_cancel_are_read(wire, client):
    wire.answers("GET /v1/runs/run_1/history", bodies.history(2))
    wire.answers("POST /v1/runs/run_1/cancel", Answer(bodies.run("running"), 202))
    assert client.runs.history("run_1").history == {"loss": [1.0, 0.5]}
    assert client.runs.cancel("run_1").status == RunStatus.RUNNING


def test_events_are_typed_and_unknown_ones_ignored(wire, client):
    """A later service may send other events."""
    stream = [
        ("status", bodies.run("running")),
        ("weather", {"sun": 1}),
        ("epoch", bodies.epoch(1)),
        ("status", bodies.run()),
    ]
    wire.answers("GET /v1/runs/run_1/events", sse(*stream))
    running, first, ended = client.runs.events("run_1")
    assert (running.status, ended.status) == (RunStatus.RUNNING, RunStatus.SUCCEEDED)
    assert first == EpochEvent.model_validate(bodies.epoch(1))
    assert "last-event-id" not in wire.asked[0].headers


def test_events_resume_after_an_id(wire, client):
    wire.answers("GET /v1/runs/run_1/events", sse(("status", bodies.run())))
    list(client.runs.events("run_1", last_event_id=41))
    assert wire.asked[0].headers["last-event-id"] == "41"


@pytest.mark.parametrize(
    "answer",
    [Answer(b"{}"), sse(is_cut=True), sse(hold=5.0)],
    ids=["none", "broken", "silent"],
)
def test_a_missing_broken_or_silent_stream_is_a_lost_connection(wire, client, answer):
    wire.answers("GET /v1/runs/run_1/events", answer)
    with pytest.raises(ConnectionFailed) as caught:
        list(client.runs.events("run_1", silence=0.1))
    assert caught.value.__suppress_context__  # the message has the reason


def test_plots_are_saved_in_the_format_of_the_path(wire, client, tmp_path):
    """The default is the plot of the loss."""
    wire.answers(
        "GET /v1/runs/run_1/history.svg", Answer(b"<svg/>", type="image/svg+xml")
    )
    wire.answers("GET /v1/runs/run_1/report/roc.png", Answer(b"PNG", type="image/png"))
    saved = client.runs.plot("run_1", to_path=tmp_path / "loss.svg")
    assert saved.read_bytes() == b"<svg/>"
    saved = client.runs.plot("run_1", "roc", tmp_path / "roc.png")
    assert saved.read_bytes() == b"PNG"


HOOK = {
    "run_id": "run_1",
    "url": "https://example.com/",
    "status": "waiting",
    "attempts": 0,
    "attempted_at": None,
    "next_attempt_at": None,
    "last_status": None,
    "last_error": None,
}


def test_webhooks_are_listed_changed_and_sent_again(wire, client):
    """A secret of None is sent only if it is said; an older service lacks some fields."""
    path = "/v1/runs/run_1/webhook"
    wire.answers("GET /v1/webhooks", bodies.page(HOOK))
    wire.answers(f"PUT {path}", HOOK)
    wire.answers(f"POST {path}/retry", HOOK)
    wire.answers(f"DELETE {path}", Answer(status=204))
    (hook,) = client.runs.webhooks("failed")
    assert (hook.run_id, hook.signed) == ("run_1", None)
    client.runs.set_webhook("run_1", "https://example.com/")
    client.runs.retry_webhook("run_1")
    client.runs.retry_webhook("run_1", unsigned=True)
    client.runs.retry_webhook("run_1", "whsec_x")
    client.runs.delete_webhook("run_1")
    assert wire.asked[0].query == {"status": "failed"}
    assert [asked.json for asked in wire.asked[1:5]] == [
        {"url": "https://example.com/", "secret": None},
        {},
        {"secret": None},
        {"secret": "whsec_x"},
    ]


def test_tags_that_are_no_dict_are_refused_with_an_example(client):
    """No request is sent."""
    for tags in (["red"], []):
        with pytest.raises(TypeError, match=r"got tags=\[.*expected a dict such as"):
            client.runs.update("run_1", tags=tags)
