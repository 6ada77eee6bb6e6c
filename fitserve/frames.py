"""Convert answers that are tables to frames of pandas or polars, if installed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Tabular:
    """A table: `to_pandas()` and `to_polars()`."""

    def table(self) -> dict[str, list[Any]]:
        """Return the columns by name, all of one length."""
        raise NotImplementedError

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a pandas DataFrame; ImportError without pandas."""
        return _library("pandas").DataFrame(self.table())

    def to_polars(self) -> "pl.DataFrame":
        """Return the table as a polars DataFrame; ImportError without polars."""
        frame: pl.DataFrame = _library("polars").DataFrame(self.table(), strict=False)
        return frame


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"{name} is not here; pip install {name}") from error
