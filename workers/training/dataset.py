"""Raw rows of one side of a split: a frame in memory, or a part of a Parquet table."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets.typed_table import TypedTable

_SAMPLE_ROWS = 500_000
_READ_ROWS = 500_000


class StoredRows(Protocol):
    """Rows that can be read a stretch at a time."""

    @property
    def num_rows(self) -> int:
        """How many there are."""

    @property
    def num_stored(self) -> int:
        """How many places there are to read from; rows of other sides lie between."""

    def read(self, start: int, stop: int) -> pl.DataFrame:
        """The rows that lie in these places."""


@dataclass(frozen=True)
class FrameRows:
    """Rows in memory."""

    frame: pl.DataFrame

    @property
    def num_rows(self) -> int:
        return self.frame.height

    @property
    def num_stored(self) -> int:
        return self.frame.height

    def read(self, start: int, stop: int) -> pl.DataFrame:
        return self.frame[start:stop]


@dataclass(frozen=True)
class ParquetRows:
    """The rows of `table` where `mask` is true, read anew each time."""

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


def sample(rows: StoredRows, seed: int, most: int = _SAMPLE_ROWS) -> pl.DataFrame:
    """All rows if there are few, else about `most`: encoders can be fitted on them."""
    share = min(1.0, most / max(rows.num_rows, 1))
    if share == 1.0:
        return rows.read(0, rows.num_stored)
    parts = []
    for start in range(0, rows.num_stored, _READ_ROWS):
        part = rows.read(start, start + _READ_ROWS)
        parts.append(part.sample(fraction=share, seed=seed + start))
    return pl.concat(parts)
