"""Convert responses that are tables to DataFrames of pandas or polars."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


class Tabular:
    """A table that can be converted to a DataFrame."""

    def table(self) -> dict[str, list[Any]]:
        """Return the columns by name, all of the same length."""
        raise NotImplementedError

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a pandas DataFrame; raise ImportError without pandas."""
        return library("pandas").DataFrame(self.table())

    def to_polars(self) -> "pl.DataFrame":
        """Return the table as a polars DataFrame; raise ImportError without polars."""
        frame: pl.DataFrame = library("polars").DataFrame(self.table(), strict=False)
        return frame


def library(name: str) -> Any:
    """Import an optional library; raise ImportError with the command that installs it."""
    try:
        return import_module(name)
    except ImportError as error:
        package = name.replace("_", "-").replace(".", "-")
        raise ImportError(f"{package} is missing; pip install {package}") from error
