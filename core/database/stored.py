"""A JSON column whose values are objects of a pydantic type."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import JSON, Dialect, TypeDecorator
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

Upgrade = Callable[[Any], Any]
"""Turn JSON that an earlier release wrote into JSON that the type reads."""


class Stored(TypeDecorator[Any]):
    """A JSON column whose values are of a pydantic type; None is SQL's NULL.

    The JSON is that of `model_dump(mode="json")`, so the database sees an ordinary JSON
    column. Writing a value of another type is an error.

    Args:
        kind: the type, such as a model or `list[Model]`. It must have a default for
            every key that an earlier release did not write.
        upgrade: changes JSON of earlier releases before the type reads it, if defaults
            are not enough.

    """

    impl = JSON
    cache_ok = True

    def __init__(self, kind: Any, upgrade: Upgrade | None = None) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind
        self.upgrade = upgrade
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def process_bind_param(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002  SQLAlchemy's signature
    ) -> Any:
        if value is None:
            return None
        return self._adapter.dump_python(value, mode="json", warnings="error")

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002  SQLAlchemy's signature
    ) -> Any:
        if value is None:
            return None
        if self.upgrade is not None:
            value = self.upgrade(value)
        # a later release may have written more keys, even if the type forbids them
        return self._adapter.validate_python(value, extra="ignore")

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Any] | None:
        """Parse the text of SQLite directly, without building Python objects in between.

        That saves time and memory for the JSON of a wide table.
        """
        if dialect.name != "sqlite" or self.upgrade is not None:
            return super().result_processor(dialect, coltype)
        read = self._adapter.validate_json
        return lambda text: None if text is None else read(text, extra="ignore")

    def coerce_compared_value(
        self, op: OperatorType | None, value: Any
    ) -> TypeEngine[Any]:
        """Return the type to compare with: a key of the JSON is compared as text."""
        return self.impl_instance.coerce_compared_value(op, value)
