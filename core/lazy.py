"""Load heavy modules when they are first used, so that processes start faster.

`from core.lazy import pl` is polars, and `ort` is ONNX Runtime. A module that annotates
with them needs `from __future__ import annotations`, or the annotation would load them.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

# polars lacks zones such as `+05:30` of a Parquet file, whose moments are in UTC anyway
os.environ.setdefault("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "1")


class LazyModule(ModuleType):
    """Import the module `name` when one of its attributes is first read."""

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(import_module(self.__name__), attribute)
        setattr(self, attribute, value)
        return value


@contextmanager
def not_installed(*names: str) -> Iterator[None]:
    """Let modules seem not installed within the block, unless they are loaded already.

    For libraries that load an optional dependency which this service does not use.
    """
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))  # for Python, None is a module that is absent
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


if TYPE_CHECKING:
    import onnxruntime as ort
    import polars as pl
else:
    ort = LazyModule("onnxruntime")
    pl = LazyModule("polars")

__all__ = ["LazyModule", "not_installed", "ort", "pl"]
