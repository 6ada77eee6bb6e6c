"""The sides of a run as rows to be read: a large table stays in its file."""

from dataclasses import dataclass

import numpy as np

from core.datasets.typed_table import TypedTable
from core.runs.planning.cost import LARGEST_IN_MEMORY
from core.runs.planning.splits import TEST, TRAIN, VALIDATION, Shares, assign
from fitserve.enums import Task
from fitserve.specs.run import SplitSpec
from workers.training.data import read_rows, split_rows
from workers.training.dataset import FrameRows, ParquetRows, StoredRows


@dataclass(frozen=True)
class Sides:
    """`validation` and `test` may be empty."""

    train: StoredRows
    validation: StoredRows
    test: StoredRows


@dataclass(frozen=True)
class Table:
    """A table with the columns of it that count.

    Args:
        table: its rows.
        columns: the features.
        target: what is learnt; rows without it do not count.

    """

    table: TypedTable
    columns: list[str]
    target: str

    def split(self, task: Task, split: SplitSpec, shares: Shares, seed: int) -> Sides:
        """Part the rows as `core.runs.planning.splits` decides."""
        by = [] if split.column is None else [split.column]
        if self._fits():
            rows = read_rows(self.table, self.columns + by, self.target)
            parts = split_rows(rows, self.target, task, split, shares, seed)
            frames = (parts.train, parts.validation, parts.test)
            return Sides(*(FrameRows(frame) for frame in frames))
        deciding = self.table.read([self.target, *by])
        is_known = deciding[self.target].is_not_null()
        assigned = assign(
            deciding.filter(is_known), self.target, task, split, shares, seed
        )
        sides = np.full(deciding.height, -1, np.int8)
        sides[is_known.to_numpy()] = assigned
        return Sides(*(self._where(sides == s) for s in (TRAIN, VALIDATION, TEST)))

    def rows(self) -> StoredRows:
        """All rows that have a target."""
        if self._fits():
            return FrameRows(read_rows(self.table, self.columns, self.target))
        target = self.table.read([self.target])[self.target]
        return self._where(target.is_not_null().to_numpy())

    def _where(self, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ParquetRows:
        return ParquetRows(
            self.table, list(dict.fromkeys([*self.columns, self.target])), mask
        )

    def _fits(self) -> bool:
        return self.table.num_rows * len(self.columns) * 4 <= LARGEST_IN_MEMORY
