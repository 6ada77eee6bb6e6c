"""Schemas too long to be shown whole."""

from collections.abc import Iterable
from typing import Any, ClassVar


class Brief:
    """`repr()` and `str()` show the fields that tell one from another; all are there."""

    brief: ClassVar[tuple[str, ...]]

    def __repr_args__(self) -> Iterable[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.brief]
