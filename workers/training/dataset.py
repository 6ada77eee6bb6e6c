"""Read the raw rows of one split: from a frame in memory, or from a Parquet table."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets.typed_table import TypedTable

_SAMPLE_ROWS = 500_000
_READ_ROWS = 500_000


class RawRows(Protocol):
    """Rows that can be read a range at a time.

    `num_rows` counts the rows of the split. `num_stored` counts the rows of the stored
    table, which also holds the rows of other splits.
    """

    @property
    def num_rows(self) -> int: ...

    @property
    def num_stored(self) -> int: ...

    def read(self, start: int, stop: int) -> pl.DataFrame:
        """Return the rows of the split in a range of stored rows."""


@dataclass(frozen=True)
class InMemoryRows:
    """Rows of a frame in memory."""

    frame: pl.DataFrame

    @property
    def num_rows(self) -> int:
        return self.frame.height

    num_stored = num_rows

    def read(self, start: int, stop: int) -> pl.DataFrame:
        return self.frame[start:stop]


@dataclass(frozen=True)
class ParquetRows:
    """The rows of `table` where `mask` is true. Each use reads the file again."""

    table: TypedTable
    columns: list[str]
    mask: NDArray[np.bool_]

    @cached_property
    def num_rows(self) -> int:
        return int(self.mask.sum())

    @property
    def num_stored(self) -> int:
        return len(self.mask)

    def read(self, start: int, stop: int) -> pl.DataFrame:
        stored = self.table.scan().slice(start, stop - start)
        frame = stored.select(self.columns).collect()
        return frame.filter(pl.Series(self.mask[start:stop]))


def sample(rows: RawRows, seed: int, max_rows: int = _SAMPLE_ROWS) -> pl.DataFrame:
    """Return all rows if there are few, else a random sample of about `max_rows`."""
    fraction = min(1.0, max_rows / max(rows.num_rows, 1))
    if fraction == 1.0:
        return rows.read(0, rows.num_stored)
    parts = []
    for start in range(0, rows.num_stored, _READ_ROWS):
        part = rows.read(start, start + _READ_ROWS)
        parts.append(part.sample(fraction=fraction, seed=seed + start))
    return pl.concat(parts)
