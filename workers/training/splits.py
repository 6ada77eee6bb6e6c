"""Split the rows of a run. A large table stays in its file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.typed_table import TypedTable
from core.runs.planning.cost import LARGEST_IN_MEMORY
from core.runs.planning.splits import SPLITTING, TEST, TRAIN, VALIDATION, Shares, assign
from fitserve.enums import Task
from fitserve.specs.run import SplitSpec
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

    def split(
        self,
        task: Task,
        split: SplitSpec,
        shares: Shares,
        seed: int,
        splitting: int = SPLITTING,
    ) -> Splits:
        """Return the rows in the splits that `core.runs.planning.splits` assigns."""
        by = [] if split.column is None else [split.column]
        frame = self.table.read(
            [*(self.features if self._fits() else []), *by, self.target]
        )
        known = frame[self.target].is_not_null()
        rows = frame.filter(known)
        assigned = assign(rows, self.target, task, split, shares, seed, splitting)
        if self._fits():
            frames = (rows.filter(assigned == s) for s in (TRAIN, VALIDATION, TEST))
            return Splits(*map(InMemoryRows, frames))
        split_of_row = np.full(frame.height, -1, np.int8)
        split_of_row[known.to_numpy()] = assigned
        return Splits(
            *(self._where(split_of_row == s) for s in (TRAIN, VALIDATION, TEST))
        )

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
