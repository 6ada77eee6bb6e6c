"""Compare the rows and files of services, and name services to restore into."""

from contextlib import closing

from sqlalchemy import select

from core.database.sessions import Database
from core.settings import Settings
from core.storage import open_storage
from ops.backup.rows import tables
from tests import s3
from tests.servers import new_postgres_database


def rows_of(settings):
    """Return all rows by table."""
    with (
        closing(Database(settings.resolved_database_url)) as database,
        database.engine.connect() as connection,
    ):
        return {
            table.name: connection.execute(
                select(table).order_by(*table.primary_key)
            ).all()
            for table in tables()
        }


def ids_of(settings):
    """Return the first columns of all rows by table, which no running service changes."""
    return {name: [row[0] for row in rows] for name, rows in rows_of(settings).items()}


def files_of(settings):
    """Return the content of every stored file by key."""
    storage = open_storage(settings)
    found = {}
    for folder in ("datasets", "runs"):
        for key in storage.list(folder):
            with storage.open(key) as content:
                found[key] = content.read()
    return found


def assert_equal(copy, other):
    """The copy has the same rows and files, in each value."""
    assert rows_of(copy) == rows_of(other)
    assert files_of(copy) == files_of(other)


def assert_copied(service, copy):
    """A running service sends the messages of its runs meanwhile."""
    here, there = rows_of(service.settings), rows_of(copy)
    for name in ("runs", "webhooks"):
        assert [row[0] for row in here.pop(name)] == [row[0] for row in there.pop(name)]
    assert here == there
    assert files_of(service.settings) == files_of(copy)


def new_home(tmp_path, _):
    return Settings(home=tmp_path / "restored", broker_url="redis://localhost:1")


def new_postgres(tmp_path, _):
    url = new_postgres_database()
    return Settings(home=tmp_path / "restored", database_url=url)


def new_bucket(tmp_path, patch):
    url = s3.rclone().new_url(patch)
    return Settings(home=tmp_path / "restored", storage_url=url)
