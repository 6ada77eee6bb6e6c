"""Write conditions that SQLite and PostgreSQL express in different ways."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, String, any_, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session


def is_postgres(session: Session) -> bool:
    """Return whether the session's database is PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"


def is_one_of(
    session: Session, column: InstrumentedAttribute[Any], texts: Collection[str]
) -> ColumnElement[bool]:
    """Return the condition that the column has one of the texts, of any number.

    The texts are one parameter. An IN list has a parameter for each text, of which
    SQLite accepts 32,766 and PostgreSQL's driver 65,535.
    """
    if is_postgres(session):
        return column == any_(literal(list(texts), ARRAY(String)))
    each = func.json_each(json.dumps(list(texts))).table_valued("value")
    return column.in_(select(each.c.value))
