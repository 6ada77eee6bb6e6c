"""Load a module when it is first used, so that the API starts faster."""

from importlib import import_module
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Import the module `name` when one of its attributes is first read.

    Example:
        if TYPE_CHECKING:
            import polars as pl
        else:
            pl = LazyModule("polars")

    """

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(import_module(self.__name__), attribute)
        setattr(self, attribute, value)
        return value
