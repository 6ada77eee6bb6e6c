"""A short `repr()` for schemas with many fields."""

from collections.abc import Iterable
from typing import Any, ClassVar


class Brief:
    """A schema whose `repr()` and `str()` show only the fields in `brief`."""

    brief: ClassVar[tuple[str, ...]]

    def __repr_args__(self) -> Iterable[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.brief]
