"""Every table with leases has one holder at a time, on both databases."""

import time

import pytest
from sqlalchemy import select

from core.database.clock import now_ms
from core.database.lease import LeaseTable, time_after
from core.datasets.tables import Dataset
from core.idempotency.tables import IdempotencyKey
from core.runs.tables import Run
from core.webhooks.tables import Webhook
from tests.core.runs.rows import add_dataset, add_run


def add_webhook(database):
    run_id = add_run(database)
    with database.write() as session:
        session.add(Webhook(run_id=run_id, url="https://x.y", status="waiting"))
    return run_id


def add_key(database):
    key = IdempotencyKey(
        owner="o", key="k", fingerprint="f", token="t0", lease_until=0, created_at=0
    )
    with database.write() as session:
        session.add(key)
    return "o", "k"


CASES = {
    "runs": (LeaseTable(Run, Run.attempt, (Run.status == "queued",)), add_run),
    "datasets": (
        LeaseTable(Dataset, Dataset.attempt, (Dataset.status == "ready",)),
        lambda database: add_dataset(database).id,
    ),
    "webhooks": (
        LeaseTable(Webhook, Webhook.attempts, (Webhook.status == "waiting",)),
        add_webhook,
    ),
    "keys": (
        LeaseTable(
            IdempotencyKey, IdempotencyKey.token, (IdempotencyKey.step.is_(None),)
        ),
        add_key,
    ),
}


class Holder:
    """A holder that claims the row of a case and writes to it."""

    def __init__(self, database, leases, identity, token):
        self.database, self.leases, self.identity = database, leases, identity
        self.values = {"token": token} if leases.fence.key == "token" else {}

    def claim(self, seconds):
        with self.database.write() as session:
            self.fence = self.leases.claim(
                session, self.identity, seconds, self.leases.unheld(), **self.values
            )
        return self.fence is not None

    def renew(self, seconds, **values):
        with self.database.write() as session:
            return self.leases.renew(
                session, self.identity, self.fence, seconds, **values
            )

    def until(self):
        with self.database.read() as session:
            return session.scalar(select(self.leases.row.lease_until))


@pytest.fixture(params=CASES)
def holders(request, database):
    leases, add = CASES[request.param]
    identity = add(database)
    return [Holder(database, leases, identity, f"t{i}") for i in (1, 2)]


def test_a_held_row_cannot_be_claimed(holders):
    """A second claim fails until the lease ends."""
    first, second = holders
    assert first.claim(30.0)
    assert not second.claim(30.0)
    assert first.renew(-1.0)
    assert second.claim(30.0)


def test_a_replaced_holder_changes_nothing(holders):
    """A holder with an old fence cannot renew; the new holder's lease is unchanged."""
    first, second = holders
    assert first.claim(-1.0)
    assert second.claim(30.0)
    until = second.until()
    assert not first.renew(3600.0)
    assert second.until() == until
    assert second.renew(3600.0)
    assert second.until() > until


def test_an_expired_lease_that_nobody_claimed_can_be_renewed(holders):
    first, _ = holders
    assert first.claim(-1.0)
    assert first.renew(30.0)


def test_a_closed_row_cannot_be_written(database):
    """A closed row can be neither renewed nor claimed."""
    leases, add = CASES["runs"]
    holder = Holder(database, leases, add(database), "")
    assert holder.claim(-1.0)
    assert holder.renew(-1.0, status="succeeded")
    assert not holder.renew(30.0)
    assert not holder.claim(30.0)


def test_a_message_is_due_if_it_was_never_sent_or_long_ago(database):
    """A message that is taken counts as sent now."""
    leases, _ = CASES["runs"]
    ids = [add_run(database) for _ in range(2)]
    with database.write() as session:
        session.get_one(Run, ids[0]).sent_at = 0
        session.get_one(Run, ids[1]).sent_at = None
    with database.write() as session:
        assert sorted(leases.take_unsent(session, 60.0, leases.is_open)) == sorted(ids)
        assert leases.take_unsent(session, 60.0, leases.is_open) == []
    time.sleep(0.01)
    with database.write() as session:
        assert len(leases.take_unsent(session, 0.0, leases.is_open)) == 2


def test_times_are_those_of_the_database(database):
    """A lease of a minute ends after a minute of the database's clock."""
    with database.read() as session:
        seconds = session.scalar(select((time_after(60.0) - now_ms()) / 1000))
    assert 59 <= seconds <= 60
