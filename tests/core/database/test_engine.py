"""A connection to PostgreSQL gives up a host that no longer answers."""

import pytest
from sqlalchemy import make_url

from core.database.engine import make_engine
from tests.servers import postgres_at_head


def options(**given):
    """Return libpq's options of a connection whose URL has the given ones."""
    url = make_url(postgres_at_head()).update_query_dict(given)
    engine = make_engine(url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        used = connection.connection.driver_connection.pgconn.info
    engine.dispose()
    return {option.keyword.decode(): (option.val or b"").decode() for option in used}


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("connect_timeout", "10"), ("tcp_user_timeout", "20000"), ("keepalives_idle", "10")],
)
def test_a_silent_host_is_given_up_within_seconds(name, seconds):
    """TCP itself waits for a quarter of an hour. The URL may name another number."""
    assert options()[name] == seconds
    assert options(**{name: "7"})[name] == "7"


def test_the_server_gives_up_a_silent_host_at_the_same_time():
    """Otherwise the transaction of a host that was cut off holds its locks for a minute."""
    assert "-c tcp_user_timeout=20000" in options()["options"]
    assert "-c tcp_keepalives_idle=7" in options(keepalives_idle="7")["options"]


def test_options_of_the_url_are_added():
    found = options(options="-c search_path=own")["options"]
    assert "-c tcp_user_timeout=20000" in found
    assert found.endswith("-c search_path=own")
