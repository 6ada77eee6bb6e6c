"""Split the rows of a run. A large table stays in its file."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets.typed_table import TypedTable
from core.runs.planning.cost import LARGEST_IN_MEMORY
from core.runs.planning.splits import TEST, TRAIN, VALIDATION, SplitCodes
from workers.training.dataset import InMemoryRows, ParquetRows, RawRows


@dataclass(frozen=True)
class Splits:
    """The raw rows of each split. `validation` and `test` may be empty."""

    train: RawRows
    validation: RawRows
    test: RawRows


@dataclass(frozen=True)
class SourceTable:
    """A table from which a run reads the feature columns and the target.

    `features` may also hold the columns of the sample weights and of the groups. Rows
    without a target are left out.
    """

    table: TypedTable
    features: list[str]
    target: str

    def split(self, codes: SplitCodes) -> Splits:
        """Return the rows of each side; `codes` has the side of each stored row."""
        sides = (TRAIN, VALIDATION, TEST)
        if not self._fits():
            return Splits(*(self._where(codes == side) for side in sides))
        frame = self.table.read([*self.features, self.target])
        masks = (pl.Series(codes == side) for side in sides)
        return Splits(*(InMemoryRows(frame.filter(mask)) for mask in masks))

    def rows(self) -> RawRows:
        """Return all rows that have a target."""
        if self._fits():
            frame = self.table.read([*self.features, self.target])
            return InMemoryRows(frame.drop_nulls(self.target))
        target = self.table.read([self.target])[self.target]
        return self._where(target.is_not_null().to_numpy())

    def _where(self, mask: NDArray[np.bool_]) -> ParquetRows:
        columns = list(dict.fromkeys([*self.features, self.target]))
        return ParquetRows(self.table, columns, mask)

    def _fits(self) -> bool:
        return self.table.num_rows * len(self.features) * 4 <= LARGEST_IN_MEMORY
