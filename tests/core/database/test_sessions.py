"""Connections and when they end."""

from sqlalchemy import text

from core.database.sessions import Database


def test_a_connection_in_use_is_closed_when_it_comes_back(database_url):
    """A thread that is late does not leave it to the collector of garbage."""
    database = Database(database_url)
    with database.read() as session:
        session.execute(text("SELECT 1"))
        entry = session.connection().connection._connection_record
        database.close()
        assert entry.dbapi_connection is not None
    assert entry.dbapi_connection is None
