"""Modules that are loaded when they are first used, so that the API is ready sooner."""

from importlib import import_module
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stand for the module `name` until one of its attributes is asked for.

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
