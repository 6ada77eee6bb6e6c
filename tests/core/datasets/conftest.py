"""A CSV that is read as an upload is."""

import polars as pl
import pytest

from core.datasets.profile import profile
from core.datasets.reading import read_csv
from fitserve.specs.parsing import ParsingSpec


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a CSV into table, reading, and columns by name."""

    def reader(content, **given):
        source = tmp_path / "source.csv"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        reading = read_csv(source, tmp_path, ParsingSpec(**given), 2000)
        stats = reading.stats
        columns = profile(tmp_path / "table.parquet", reading.columns, stats)
        table = pl.read_parquet(tmp_path / "table.parquet")
        return table, reading, {column.name: column for column in columns}

    return reader
