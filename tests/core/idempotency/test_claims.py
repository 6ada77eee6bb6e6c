"""Who may answer a key, on both databases."""

import threading
import time

import pytest
from sqlalchemy import func, select, update

from core.errors import KeyReused, RequestInFlight
from core.idempotency.claims import Answer, Claim
from core.idempotency.repository import Asked, sweep_keys
from core.idempotency.tables import IdempotencyKey

ASKED = Asked("key", "f1")
ANSWER = Answer(202, '{"id": "run_1"}', "/v1/runs/run_1")


def begin(database, asked=ASKED, lease_seconds=30.0):
    claim = Claim(database, asked, lease_seconds)
    claim.begin()
    return claim


def complete(database, claim, answer=ANSWER, *made):
    with database.write() as session:
        session.add_all(made)
        claim.complete(session, answer)


def pass_time(database, seconds):
    """So much later, as far as leases are concerned."""
    with database.write() as session:
        lease_until = IdempotencyKey.lease_until - seconds * 1000
        session.execute(update(IdempotencyKey).values(lease_until=lease_until))


def sweep(database, keep_seconds):
    with database.write() as session:
        sweep_keys(session, keep_seconds)
        return session.scalar(select(func.count()).select_from(IdempotencyKey))


def test_an_answered_key_gives_its_answer_again(database):
    """To any number of later claims, until it is swept."""
    complete(database, begin(database))
    again = begin(database)
    assert (again.answer, again.is_replay, again.is_held) == (ANSWER, True, False)
    assert sweep(database, keep_seconds=60) == 1
    time.sleep(0.01)
    assert sweep(database, keep_seconds=0) == 0
    assert begin(database).answer is None


def test_a_twin_in_flight_is_refused_and_another_request_too(database):
    """The first is told to come again, the second never gets through."""
    begin(database)
    with pytest.raises(RequestInFlight):
        begin(database)
    with pytest.raises(KeyReused):
        begin(database, Asked("key", "f2"))
    assert begin(database, Asked("key", "f2", owner="another")).is_held
    time.sleep(0.01)
    assert sweep(database, keep_seconds=0) == 2, "what is at work is not swept"


def test_of_twenty_at_once_one_has_it(database):
    """The others are refused, whatever the database does with simultaneous inserts."""
    ready, results = threading.Barrier(20), []

    def ask():
        ready.wait()
        try:
            results.append(begin(database).is_held)
        except RequestInFlight:
            results.append(False)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 19 + [True]


def test_a_refused_request_leaves_the_key_free(database):
    """Also for another request."""
    begin(database).forget()
    assert begin(database, Asked("key", "f2")).is_held


def test_what_died_on_the_way_is_taken_up_where_it_was(database):
    """By one of the same request, which learns what is made already."""
    dead = begin(database, lease_seconds=0.0)
    with database.write() as session:
        dead.reach(session, "dataset_1")
    time.sleep(0.01)
    with pytest.raises(KeyReused):
        begin(database, Asked("key", "f2"))
    assert begin(database).step == "dataset_1"
    with pytest.raises(RequestInFlight):
        begin(database)


def test_who_gives_up_lets_the_next_one_go_on_at_once(database):
    """Nothing made: the key is free. Something made: it is handed on."""
    claim = begin(database)
    claim.let_go()
    assert sweep(database, keep_seconds=60) == 0
    claim = begin(database)
    with database.write() as session:
        claim.reach(session, "dataset_1")
    claim.let_go()
    time.sleep(0.01)
    assert begin(database).step == "dataset_1"


def test_a_request_thought_dead_commits_nothing_more(database):
    """Its transaction fails as a whole; the answer is the other's."""
    slow = begin(database, lease_seconds=0.0)
    time.sleep(0.01)
    quick = begin(database)
    with pytest.raises(RequestInFlight):
        complete(database, slow, Answer(500, "{}"), _record("made by the slow one"))
    slow.forget()
    slow.renew()
    complete(database, quick)
    assert begin(database).answer == ANSWER
    assert sweep(database, keep_seconds=60) == 1


def test_a_renewed_claim_is_held_on(database):
    """Beyond its first term."""
    claim = begin(database, lease_seconds=30.0)
    pass_time(database, 20)
    claim.renew()
    pass_time(database, 20)
    with pytest.raises(RequestInFlight):
        begin(database)


def test_without_a_key_nothing_is_noted(database):
    """The same calls, and no row."""
    claim = begin(database, None)
    assert not claim.is_held
    with database.write() as session:
        claim.reach(session, "dataset_1")
    complete(database, claim)
    claim.let_go()
    assert (claim.step, claim.answer, claim.is_replay) == ("dataset_1", ANSWER, False)
    assert sweep(database, keep_seconds=60) == 0


def _record(key):
    return IdempotencyKey(
        owner="", key=key, fingerprint="f", token="t", lease_until=0, created_at=2**50
    )
