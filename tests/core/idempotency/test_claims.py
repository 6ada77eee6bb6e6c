"""Claims of idempotency keys, on both databases."""

import threading
import time

import pytest
from sqlalchemy import func, select, update

from core.errors import KeyReused, RequestInFlight
from core.idempotency.claims import Answer, Claim
from core.idempotency.repository import Asked, sweep_keys
from core.idempotency.tables import IdempotencyKey

REQUEST = Asked("key", "f1")
ANSWER = Answer(202, '{"id": "run_1"}', "/v1/runs/run_1")


def begin(database, request=REQUEST, lease_seconds=30.0):
    claim = Claim(database, request, lease_seconds)
    claim.begin()
    return claim


def complete(database, claim, answer=ANSWER, *made):
    with database.write() as session:
        session.add_all(made)
        claim.complete(session, answer)


def pass_time(database, seconds):
    """Let the leases of all keys age by `seconds`."""
    with database.write() as session:
        lease_until = IdempotencyKey.lease_until - seconds * 1000
        session.execute(update(IdempotencyKey).values(lease_until=lease_until))


def sweep(database, keep_seconds):
    with database.write() as session:
        sweep_keys(session, keep_seconds)
        return session.scalar(select(func.count()).select_from(IdempotencyKey))


def test_an_answered_key_gives_its_answer_again(database):
    """Every later claim gets the stored answer until the key is swept."""
    complete(database, begin(database))
    again = begin(database)
    assert (again.answer, again.is_replay, again.is_held) == (ANSWER, True, False)
    assert sweep(database, keep_seconds=60) == 1
    time.sleep(0.01)
    assert sweep(database, keep_seconds=0) == 0
    assert begin(database).answer is None


def test_a_duplicate_in_flight_is_refused_and_another_request_too(database):
    """Another owner may use the same key."""
    begin(database)
    with pytest.raises(RequestInFlight):
        begin(database)
    with pytest.raises(KeyReused):
        begin(database, Asked("key", "f2"))
    assert begin(database, Asked("key", "f2", owner="another")).is_held
    time.sleep(0.01)
    assert sweep(database, keep_seconds=0) == 2, "a key in use is not swept"


def test_one_of_twenty_simultaneous_claims_wins(database):
    """The other nineteen are refused."""
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
    """Another request may then use the key."""
    begin(database).forget()
    assert begin(database, Asked("key", "f2")).is_held


def test_an_interrupted_request_is_continued_at_its_step(database):
    """Only the same request may continue, and it gets the step that was reached."""
    dead = begin(database, lease_seconds=0.0)
    with database.write() as session:
        dead.reach(session, "dataset_1")
    time.sleep(0.01)
    with pytest.raises(KeyReused):
        begin(database, Asked("key", "f2"))
    assert begin(database).step == "dataset_1"
    with pytest.raises(RequestInFlight):
        begin(database)


def test_a_released_claim_can_be_claimed_at_once(database):
    """Without a step, the key is free; with a step, the next claim gets the step."""
    claim = begin(database)
    claim.let_go()
    assert sweep(database, keep_seconds=60) == 0
    claim = begin(database)
    with database.write() as session:
        claim.reach(session, "dataset_1")
    claim.let_go()
    time.sleep(0.01)
    assert begin(database).step == "dataset_1"


def test_a_request_with_an_expired_claim_commits_nothing(database):
    """Its transaction fails as a whole, and the answer of the newer request is stored."""
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


def test_a_renewed_claim_is_still_held(database):
    claim = begin(database, lease_seconds=30.0)
    pass_time(database, 20)
    claim.renew()
    pass_time(database, 20)
    with pytest.raises(RequestInFlight):
        begin(database)


def test_without_a_key_nothing_is_stored(database):
    """Every call is possible, but none writes a row."""
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
