"""Webhooks are delivered at least once under one id, or given up; on both databases."""

import json
import logging
import tempfile
import threading
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from core.janitor import Janitor
from core.queue import Queue, make_celery
from core.runs.leases import Lease
from core.runs.repository import RunRepository
from core.settings import RunTimes, Settings
from core.storage.local import LocalStorage
from core.webhooks.repository import WebhookRepository
from core.webhooks.tables import Webhook
from fitserve.enums import RunStatus
from tests.core.webhooks.receiver import drip, receiving
from tests.core.webhooks.rows import (
    LOCAL,
    SECRET,
    add_hook,
    pass_time,
    read_hook,
    sender,
)


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def cancel(database, run_id):
    with database.write() as session:
        RunRepository(session, "default").request_cancel(run_id)


def finish(database, run_id):
    lease = Lease.claim(database, run_id, "w", 30.0)
    with database.write() as session:
        lease.finish_in(session, RunStatus.SUCCEEDED, model_version=3)


def lose(database, run_id):
    Lease.claim(database, run_id, "w", 0.0)
    time.sleep(0.01)
    queue = Queue(make_celery(Settings(broker_url="redis://127.0.0.1:1")))
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalStorage(Path(folder))
        Janitor(database, storage, queue, RunTimes(max_attempts=1)).sweep()


@pytest.mark.parametrize(
    ("end", "kind"),
    [(cancel, "run.cancelled"), (finish, "run.succeeded"), (lose, "run.failed")],
)
def test_every_end_of_a_run_sends_a_webhook(database, receiver, end, kind):
    """A user, a worker or the janitor ends the run; before the end nothing is sent."""
    run_id = add_hook(database, receiver.url, status="queued", ended_at=None)
    webhooks = sender(database)
    assert webhooks.send_due() == 0
    end(database, run_id)
    assert (webhooks.send_due(), webhooks.send_due()) == (1, 0)
    headers, body = receiver.requests[0]
    event = Verifier(SECRET).verify(body, headers)
    assert (event["type"], event["data"]["run_id"]) == (kind, run_id)
    assert event["timestamp"] == event["data"]["ended_at"]
    assert len(body) < 1_000
    assert headers["content-type"] == "application/json"
    read = read_hook(database, run_id)
    assert (read.status, read.attempts, read.last_status) == ("delivered", 1, 200)
    assert read.next_attempt_at is None


def test_an_end_that_is_rolled_back_sends_nothing(database, receiver):
    run_id = add_hook(database, receiver.url, status="queued", ended_at=None)
    lease = Lease.claim(database, run_id, "w", 30.0)

    def finish_and_fail():
        with database.write() as session:
            lease.finish_in(session, RunStatus.SUCCEEDED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        finish_and_fail()
    assert (sender(database).send_due(), receiver.connections) == (0, 0)


def test_a_failed_delivery_is_retried_by_schedule(database, receiver):
    """Every attempt has the same id, a new time and a valid signature."""
    receiver.answers = [500, 302, 503, 429, 200]
    receiver.headers = {"Location": receiver.url}
    run_id = add_hook(database, receiver.url)
    webhooks, pauses = sender(database), []
    for _ in range(5):
        assert (webhooks.send_due(), webhooks.send_due()) == (1, 0)
        read = read_hook(database, run_id)
        if read.next_attempt_at is not None:
            pauses.append((read.next_attempt_at - read.attempted_at).total_seconds())
            pass_time(database, pauses[-1] / 2)
            assert webhooks.send_due() == 0, "not before its time"
            pass_time(database, pauses[-1])
    assert read_hook(database, run_id).status == "delivered"
    for pause, expected in zip(pauses, LOCAL.schedule[1:], strict=False):
        assert 0.89 * expected <= pause <= 1.11 * expected + 1
    assert receiver.ids == [f"{run_id}_ended"] * 5
    assert receiver.connections == 5, "no redirect is followed"
    assert len({body for _, body in receiver.requests}) == 1
    for headers, body in receiver.requests:
        Verifier(SECRET).verify(body, headers)


def test_a_webhook_is_given_up_after_ten_attempts(database, receiver):
    """The secret is then deleted."""
    receiver.answers = [500]
    run_id = add_hook(database, receiver.url)
    webhooks = sender(database)
    for _ in range(12):
        webhooks.send_due()
        pass_time(database, 100_000)
    read = read_hook(database, run_id)
    assert (read.status, read.attempts, receiver.connections) == ("failed", 10, 10)
    assert read.last_error == "the receiver answered 500"
    with database.read() as session:
        assert session.get(Webhook, run_id).secret is None


def test_410_ends_the_delivery(database, receiver):
    receiver.answers = [410]
    run_id = add_hook(database, receiver.url)
    sender(database).send_due()
    read = read_hook(database, run_id)
    assert (read.status, read.attempts) == ("failed", 1)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 119, 121),
        ("1", 4, 6),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 86_399, 86_401),
        ("99999999999999999999", 86_399, 86_401),
        ("soon", 4, 6),
        ("-5", 4, 6),
    ],
)
def test_retry_after_is_honoured(database, receiver, header, least, most):
    """Seconds or a date are honoured up to a day; an invalid value is ignored."""
    receiver.answers, receiver.headers = [503], {"Retry-After": header}
    run_id = add_hook(database, receiver.url)
    sender(database).send_due()
    read = read_hook(database, run_id)
    pause = (read.next_attempt_at - read.attempted_at).total_seconds()
    assert least <= pause <= most + 1


@pytest.mark.parametrize("answer", [lambda _: time.sleep(3), drip])
def test_a_slow_receiver_times_out(database, receiver, answer):
    """The receiver is silent, or sends a byte from time to time."""
    receiver.answers = [answer]
    run_id = add_hook(database, receiver.url)
    began = time.monotonic()
    sender(database, LOCAL.model_copy(update={"timeout_seconds": 0.1})).send_due()
    assert time.monotonic() - began < 1.5
    assert "Timeout" in read_hook(database, run_id).last_error


def test_a_delivery_of_a_dead_sender_is_repeated(database, receiver, monkeypatch):
    """After the lease it is sent again with the same id."""
    run_id = add_hook(database, receiver.url)

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(WebhookRepository, "tell", die)
        with pytest.raises(KeyboardInterrupt):
            sender(database).send_due()
    webhooks = sender(database)
    assert webhooks.send_due() == 0
    pass_time(database, 60)
    assert webhooks.send_due() == 1
    assert receiver.ids == [f"{run_id}_ended"] * 2
    assert read_hook(database, run_id).attempts == 2


def test_a_result_of_a_late_sender_is_ignored(database, receiver):
    """A newer attempt reports the result."""
    run_id = add_hook(database, receiver.url)
    with database.write() as session:
        late = WebhookRepository(session).claim(run_id, 0.0)
        session.expunge_all()
    time.sleep(0.01)
    sender(database).send_due()
    with database.write() as session:
        assert not WebhookRepository(session).tell(late, None, status="failed")
    assert read_hook(database, run_id).status == "delivered"


def test_many_senders_send_each_once(database, receiver):
    """Six senders deliver forty webhooks."""
    runs = [add_hook(database, receiver.url) for _ in range(40)]

    def work():
        webhooks = sender(database)
        while any(read_hook(database, run_id).attempts == 0 for run_id in runs):
            webhooks.send_due()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receiver.ids) == sorted(f"{run_id}_ended" for run_id in runs)


def test_without_a_secret_nothing_is_signed(database, receiver):
    """Id and time are sent all the same."""
    add_hook(database, receiver.url, secret=None)
    sender(database).send_due()
    headers, body = receiver.requests[0]
    assert "webhook-signature" not in headers
    assert headers["webhook-timestamp"].isdigit()
    assert json.loads(body)["type"] == "run.succeeded"


def test_no_log_holds_the_secret(database, receiver, caplog):
    """The path is not logged either, because it may be a secret."""
    caplog.set_level(logging.DEBUG)
    receiver.answers = [500, 200]
    add_hook(database, f"{receiver.url}?token=hush")
    webhooks = sender(database)
    for _ in range(2):
        webhooks.send_due()
        pass_time(database, 60)
    assert "the receiver answered 500" in caplog.text
    assert SECRET.removeprefix("whsec_") not in caplog.text
    assert "hush" not in caplog.text
