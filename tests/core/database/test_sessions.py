"""Connections of a closed database."""

from sqlalchemy import text

from core.database.sessions import Database


def test_a_connection_in_use_is_closed_when_it_is_returned(database_url):
    """A connection that outlives `close` is not left to the garbage collector."""
    database = Database(database_url)
    with database.read() as session:
        session.execute(text("SELECT 1"))
        entry = session.connection().connection._connection_record
        database.close()
        assert entry.dbapi_connection is not None
    assert entry.dbapi_connection is None
