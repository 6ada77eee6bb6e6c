"""The column of a run's tags."""

import re
from typing import Any

from sqlalchemy import JSON, Dialect, TypeDecorator
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Tags(TypeDecorator[dict[str, Any]]):
    """A JSON column of texts by name, without what PostgreSQL's JSONB refuses.

    Requests cannot contain U+0000 or half a surrogate pair, but earlier releases
    accepted them, and a restore may copy such rows from SQLite to PostgreSQL, whose
    index of the tags is JSONB. U+FFFD replaces these characters.
    """

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self,
        value: dict[str, Any] | None,
        dialect: Dialect,  # noqa: ARG002  SQLAlchemy's signature
    ) -> dict[str, Any] | None:
        if value is None:
            return None
        return {_storable(name): _storable(text) for name, text in value.items()}

    def coerce_compared_value(
        self, op: OperatorType | None, value: Any
    ) -> TypeEngine[Any]:
        """Return the type to compare with: a key of the JSON is compared as text."""
        return self.impl_instance.coerce_compared_value(op, value)


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)
