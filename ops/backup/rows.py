"""Copy the rows of every table from one database to another one of the same revision.

The databases may be of different kinds, such as SQLite and PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Table,
    bindparam,
    func,
    insert,
    inspect,
    select,
    update,
)

from core.database.migration_times import MigrationTime
from core.database.sessions import Database
from core.database.tables import Base
from core.workers.tables import Worker

_AT_A_TIME = 1_000
_NOT_COPIED = {Worker.__tablename__, MigrationTime.__tablename__}
"""Tables that say which processes run or when it was migrated, not true of a copy."""


def tables() -> list[Table]:
    """Return the tables to copy, each after the tables to which its rows refer."""
    return [
        table for table in Base.metadata.sorted_tables if table.name not in _NOT_COPIED
    ]


def count_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each table that has any.

    The database may be of an older release, which lacks some tables.
    """
    existing = set(inspect(connection).get_table_names())
    counted = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in tables()
        if table.name in existing
    }
    return {name: count for name, count in counted.items() if count}


def has_table(connection: Connection, name: str) -> bool:
    """Return whether the database, perhaps of an older release, has the table."""
    return inspect(connection).has_table(name)


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Open a connection that sees one state of the database, while others write to it."""
    engine = database.engine
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection


def copy_rows(source: Connection, target: Connection) -> dict[str, int]:
    """Copy all rows, in the connections' transactions; return their number by table."""
    copied = {table.name: _copy_table(source, target, table) for table in tables()}
    return {name: count for name, count in copied.items() if count}


def _copy_table(source: Connection, target: Connection, table: Table) -> int:
    """Insert all rows of a table.

    References to rows that may be copied later are set when all tables have their rows.
    """
    streamed = source.execution_options(yield_per=_AT_A_TIME)
    query = select(table).order_by(*table.primary_key)
    later = _later_columns(table)
    count = 0
    for part in streamed.execute(query).mappings().partitions():
        rows = [dict(row) for row in part]
        target.execute(insert(table), [_without(row, later) for row in rows])
        count += len(rows)
    return count


def copy_late_references(source: Connection, target: Connection) -> None:
    """Set the references that `copy_rows` has left out, now that all rows exist."""
    for table in tables():
        for column in _later_columns(table):
            _copy_column(source, target, table, column)


def _copy_column(
    source: Connection, target: Connection, table: Table, column: Column[Any]
) -> None:
    keys = list(table.primary_key)
    query = select(*keys, column).where(column.is_not(None))
    rows = [
        {f"of_{name}": value for name, value in row.items()}
        for row in source.execute(query).mappings()
    ]
    if rows:
        found = [key == bindparam(f"of_{key.name}") for key in keys]
        new: BindParameter[Any] = bindparam(f"of_{column.name}")
        target.execute(update(table).where(*found).values({column: new}), rows)


def _later_columns(table: Table) -> list[Column[Any]]:
    """Return the columns that may refer to a row that is copied later.

    They refer to this table, or to a table which itself refers to this one.
    """
    return [
        column
        for column in table.columns
        if any(key.use_alter or key.column.table is table for key in column.foreign_keys)
    ]


def _without(row: dict[str, Any], columns: list[Column[Any]]) -> dict[str, Any]:
    return row | {column.name: None for column in columns}
