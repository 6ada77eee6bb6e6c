"""Run migrations in one transaction, in one process at a time, on both databases."""

from alembic import context
from sqlalchemy import Connection, text

from core.database.engine import WRITES, make_engine
from core.database.tables import Base

LOCK = 7_227_453_101  # an arbitrary number, equal in every process


UNCOMPARED = {"ix_runs_tags", "ix_runs_workspace_target_id"}
"""Indexes that differ between the databases, so that the tables do not have them."""


def is_compared(name: str | None, *_: object) -> bool:
    """Return whether a draft of a migration compares the object of that name."""
    return name not in UNCOMPARED


def migrate(connection: Connection) -> None:
    """Run the missing migrations, then check that every foreign key is valid."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        include_name=is_compared,
    )
    context.run_migrations()
    if sqlite and (broken := connection.execute(text("PRAGMA foreign_key_check")).all()):
        raise RuntimeError(f"the migration broke foreign keys: {broken[:5]}")


engine = make_engine(context.config.attributes["url"])
with engine.connect().execution_options(**{WRITES: True}) as connection:
    if connection.dialect.name == "sqlite":
        # batch mode copies and replaces tables; the pragma has no effect in a transaction
        raw = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        migrate(connection)
engine.dispose()
