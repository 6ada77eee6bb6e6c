"""Creating, checking and revoking keys, on both databases."""

import re
import threading

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from core.database.base import utc_now
from core.errors import KeyNotFound, Unauthorized
from core.keys.insecure_binding import InsecureBinding, refuse_insecure_binding
from core.keys.pepper import Pepper, read_pepper
from core.keys.repository import ApiKeyRepository
from core.keys.service import check_key, create_key
from core.keys.tables import ApiKey
from core.keys.tokens import Token, new_token, parse
from core.settings import Settings
from fitserve.schemas.keys import KeyCreate

PEPPER = Pepper(b"p" * 32)


def make(database, **given):
    with database.write() as session:
        return create_key(session, PEPPER, KeyCreate(name="k", **given))


def check(database, token, pepper=PEPPER):
    with database.read() as session:
        return check_key(session, pepper, token)


def test_a_key_is_accepted_and_its_secret_is_not_stored(database):
    """The row holds a hash with a pepper, and the last four characters."""
    made = make(database, workspace="team-a", expires_in_days=1)
    key = check(database, parse(made.key))
    assert (key.workspace, key.name, key.last_four) == ("team-a", "k", made.key[-4:])
    assert key.expires_at > utc_now()
    with database.read() as session:
        row = str(session.execute(text("SELECT * FROM api_keys")).one())
    assert parse(made.key).secret not in row


def test_no_other_secret_is_accepted(database):
    """Another secret, key or pepper gets the same message."""
    one, other = parse(make(database).key), parse(make(database).key)
    messages = set()
    for token, pepper in (
        (Token(one.key_id, other.secret), PEPPER),
        (new_token(), PEPPER),
        (one, Pepper(b"q" * 32)),
    ):
        with pytest.raises(Unauthorized) as refused:
            check(database, token, pepper)
        messages.add(refused.value.detail)
    assert len(messages) == 1
    with database.write() as session:
        kept = session.get_one(ApiKey, other.key_id).hash
        session.get_one(ApiKey, one.key_id).hash = kept
    with pytest.raises(Unauthorized):
        check(database, Token(one.key_id, other.secret))


def test_a_hash_is_compared_for_unknown_ids_too(database, monkeypatch):
    """The time that a check takes must not reveal whether an id exists."""
    made = parse(make(database).key)
    compared = []
    monkeypatch.setattr(
        "core.keys.service.hmac.compare_digest", lambda a, b: compared.append((a, b))
    )
    for token in (new_token(), Token(made.key_id, new_token().secret)):
        with pytest.raises(Unauthorized):
            check(database, token)
    assert [(len(a), len(b)) for a, b in compared] == [(64, 64), (64, 64)]


def test_only_the_right_secret_learns_that_a_key_was_revoked(database):
    """With a wrong secret the key is unknown."""
    made = make(database)
    with database.write() as session:
        ApiKeyRepository(session).revoke(made.id)
    with pytest.raises(Unauthorized, match="was revoked"):
        check(database, parse(made.key))
    with pytest.raises(Unauthorized, match="Unknown API key"):
        check(database, Token(made.id, new_token().secret))
    with database.write() as session, pytest.raises(KeyNotFound):
        ApiKeyRepository(session).revoke("nope")


def test_the_pepper_is_created_once_and_only_its_owner_can_read_it(tmp_path):
    """Sixteen threads that need the pepper at the same time get the same one."""
    settings = Settings(home=tmp_path / "home")
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(read_pepper(settings).id))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    files = list(settings.home_dir.iterdir())
    assert [(f.name, f.stat().st_mode & 0o777) for f in files] == [("key-pepper", 0o600)]
    given = Settings(home=tmp_path, key_pepper="s" * 32)
    assert read_pepper(given).id == Pepper(b"s" * 32).id


def test_a_public_address_needs_a_valid_key(database, database_url):
    """0.0.0.0 without a valid key is refused, and the message says how to create a key."""
    wide = Settings(host="0.0.0.0", database_url=database_url)
    with pytest.raises(InsecureBinding, match="fitserve keys create"):
        refuse_insecure_binding(wide, database)
    refuse_insecure_binding(Settings(), database)
    with pytest.raises(InsecureBinding, match=re.escape("FITSERVE_CORS_ORIGINS=*")):
        refuse_insecure_binding(Settings(cors_origins=["*"]), database)
    refuse_insecure_binding(Settings(host="0.0.0.0", api_key="s" * 16), database)
    made = make(database)
    refuse_insecure_binding(wide, database)
    with database.write() as session:
        ApiKeyRepository(session).revoke(made.id)
    with pytest.raises(InsecureBinding):
        refuse_insecure_binding(wide, database)


def test_a_key_of_the_database_is_not_the_servers_own(database, database_url):
    """Clients read the same variable, so a shell may hold one of these keys."""
    made = make(database, scopes=["models:read"])
    with pytest.raises(InsecureBinding, match=f"{made.id}.*every scope"):
        refuse_insecure_binding(Settings(api_key=made.key), database)
    refuse_insecure_binding(Settings(api_key=str(new_token())), database)


@pytest.mark.parametrize(
    "body",
    [
        {"limits": {"requests_per_second": True}},
        {"limits": {"queued_runs": "5"}},
        {"expires_in_days": True},
    ],
)
def test_a_limit_must_be_a_json_number(body):
    """Booleans and texts are refused, as the OpenAPI document says."""
    with pytest.raises(ValidationError):
        KeyCreate.model_validate({"name": "a", **body})
    KeyCreate.model_validate({"name": "a", "limits": {"requests_per_second": 5}})
