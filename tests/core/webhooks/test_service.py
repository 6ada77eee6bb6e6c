"""Webhooks that are created, replaced, sent again and listed; on both databases."""

import pytest
from standardwebhooks import Webhook as Verifier

from core.errors import InvalidSpec, WebhookBusy, WebhookNotFound
from core.runs.tables import Run
from core.webhooks.repository import WebhookRepository
from core.webhooks.service import put_webhook, retry_webhook
from fitserve.specs.webhook import WebhookRetry, WebhookSpec
from tests.core.runs.rows import add_run
from tests.core.webhooks.receiver import receiving
from tests.core.webhooks.rows import LOCAL, SECRET, add_hook, read_hook, sender

OTHER = "whsec_" + "B" * 40


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def retry(database, run_id, **given):
    with database.write() as session:
        wanted = WebhookRetry.model_validate(given)
        return retry_webhook(session, session.get_one(Run, run_id), wanted)


def put(database, run_id, url, secret=None):
    with database.write() as session:
        spec = WebhookSpec(url=url, secret=secret)
        return put_webhook(session, session.get_one(Run, run_id), spec, LOCAL)


def test_a_delivered_message_is_sent_again_with_its_secret(database, receiver):
    """Without the secret, the message would arrive unsigned, which is refused."""
    run_id = add_hook(database, receiver.url)
    webhooks = sender(database)
    webhooks.send_due()
    with pytest.raises(InvalidSpec, match="deleted after the last attempt"):
        retry(database, run_id)
    assert webhooks.send_due() == 0
    read = retry(database, run_id, secret=OTHER)
    assert (read.status, read.attempts, read.signed) == ("waiting", 0, True)
    assert webhooks.send_due() == 1
    Verifier(OTHER).verify(receiver.requests[1][1], receiver.requests[1][0])
    assert receiver.ids == [f"{run_id}_ended"] * 2
    assert retry(database, run_id, secret=None).signed is False
    webhooks.send_due()
    assert "webhook-signature" not in receiver.requests[2][0]


def test_a_message_that_waits_is_sent_at_once_with_all_its_attempts(database, receiver):
    """It keeps its secret; the schedule begins again."""
    receiver.answers = [500]
    run_id = add_hook(database, receiver.url)
    webhooks = sender(database)
    webhooks.send_due()
    assert webhooks.send_due() == 0
    retry(database, run_id)
    assert webhooks.send_due() == 1
    read = read_hook(database, run_id)
    assert (read.status, read.attempts, read.signed) == ("waiting", 1, True)
    first_pause = (read.next_attempt_at - read.attempted_at).total_seconds()
    assert first_pause < 2 * LOCAL.schedule[1]
    Verifier(SECRET).verify(receiver.requests[1][1], receiver.requests[1][0])


def test_the_message_of_a_run_that_has_not_ended_is_not_sent(database, receiver):
    run_id = add_hook(database, receiver.url, status="running", ended_at=None)
    with pytest.raises(WebhookBusy, match="running"):
        retry(database, run_id)


def test_a_message_is_neither_replaced_nor_sent_again_during_an_attempt(database):
    """Another sender has claimed it. A late result of that sender changes nothing."""
    run_id = add_hook(database, "http://127.0.0.1:9/")
    with database.write() as session:
        claimed = WebhookRepository(session).claim(run_id, 60.0)
    for change in (retry, lambda *args: put(*args, "http://127.0.0.1:9/new")):
        with pytest.raises(WebhookBusy, match="in progress"):
            change(database, run_id)
    with database.write() as session:
        claimed = session.merge(claimed)
        claimed.lease_until = 0  # the sender stopped, and its lease has expired
    retry(database, run_id)
    with database.write() as session:
        again = WebhookRepository(session).claim(run_id, 60.0)
        assert (again.attempts, again.attempts_now) == (claimed.attempts + 2, 1)
        late = {"status": "delivered", "last_status": 200, "last_error": None}
        again.attempts = claimed.attempts
        session.expunge(again)
        assert not WebhookRepository(session).tell(again, None, **late)


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_late_result_of_another_message_is_not_stored(database, is_deleted):
    """Its sender claimed a message that was then replaced, or deleted and set again."""
    run_id = add_hook(database, "http://127.0.0.1:9/")
    with database.write() as session:
        old = WebhookRepository(session).claim(run_id, 0.0)
        session.expunge(old)
        if is_deleted:
            WebhookRepository(session).delete(session.get_one(Run, run_id))
    put(database, run_id, "http://127.0.0.1:9/new")
    with database.write() as session:
        webhooks = WebhookRepository(session)
        new = webhooks.claim(run_id, 60.0)
        assert new.attempts_now == 1
        assert not webhooks.tell(old, None, status="delivered", last_error=None)


def test_a_run_gets_a_webhook_later(database, receiver):
    """The message of an ended run is due at once, also if it replaces another one."""
    run_id = add_hook(database, "http://127.0.0.1:9/", SECRET)
    sender(database).send_due()
    assert read_hook(database, run_id).last_error
    read = put(database, run_id, receiver.url)
    assert (read.url, read.status, read.last_error) == (receiver.url, "waiting", None)
    assert (read.signed, read.attempts) == (False, 0)
    other = add_hook(database, receiver.url)
    with database.write() as session:
        WebhookRepository(session).delete(session.get_one(Run, other))
    with pytest.raises(WebhookNotFound):
        retry(database, other)
    put(database, other, receiver.url, OTHER)
    assert sender(database).send_due() == 2
    assert sorted(receiver.ids) == sorted(f"{one}_ended" for one in (run_id, other))


def test_webhooks_are_listed_by_workspace_and_status(database, receiver):
    """The newest run comes first; pages continue after a run."""
    ids = [add_hook(database, receiver.url) for _ in range(3)]
    with database.write() as session:
        session.get_one(Run, ids[1]).workspace = "team-a"
    sender(database).send_due()
    waiting = add_hook(database, receiver.url, status="running", ended_at=None)
    add_run(database)
    with database.read() as session:
        webhooks = WebhookRepository(session)
        listed = [one.run_id for one in webhooks.page("default", None, 9)]
        assert listed == [waiting, ids[2], ids[0]]
        (last,) = webhooks.page("default", ids[2], 9, "delivered")
        assert (last.run_id, last.model_name, last.run_status) == (
            ids[0],
            "m",
            "succeeded",
        )
        assert webhooks.page("default", None, 9, "failed") == []
