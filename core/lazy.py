"""Load heavy modules when they are first used, so that processes start faster.

`from core.lazy import pl` is polars, and `ort` is ONNX Runtime. A module that annotates
with them needs `from __future__ import annotations`, or the annotation would load them.
"""

import os
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


if TYPE_CHECKING:
    import onnxruntime as ort
    import polars as pl
else:
    ort = LazyModule("onnxruntime")
    pl = LazyModule("polars")

__all__ = ["LazyModule", "ort", "pl"]
