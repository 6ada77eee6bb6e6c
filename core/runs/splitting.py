"""Split the rows of a run by the rule of its version, or read its stored split.

A split has a code for each row of the table: TRAIN, VALIDATION, TEST or NO_TARGET.
"""

from __future__ import annotations

import numpy as np

from core.datasets.row_hashes import arrivals, row_hashes
from core.datasets.typed_table import TypedTable
from core.lazy import pl
from core.runs.planning.splits import (
    BY_POSITION,
    RowsToSplit,
    SplitCodes,
    StoredRows,
    assign_by_position,
    assign_by_seed,
    shares_of,
)
from core.runs.tables import Run
from core.storage import Storage
from fitserve.enums import Task

NO_TARGET = -1


def split_rows(run: Run, table: TypedTable, storage: Storage) -> SplitCodes:
    """Return the code of each row, stored or computed.

    `table` is the dataset of the run with the run's types. The lineage of `run.dataset`
    must be loaded. Raises InvalidSpec if the column of the split does not determine a
    split.
    """
    stored = stored_split(run, storage)
    return compute_split(run, table, storage) if stored is None else stored


def stored_split(run: Run, storage: Storage) -> SplitCodes | None:
    """Return the codes that a worker stored; None if no worker has stored any."""
    if run.split_key is None:
        return None
    try:
        with storage.local_copy(run.split_key) as path:
            codes: SplitCodes = np.load(path, allow_pickle=False)
            return codes
    except FileNotFoundError:  # the file was deleted with the version of the run
        return None


def compute_split(run: Run, table: TypedTable, storage: Storage) -> SplitCodes:
    """Return the code of each row by the version of the rule that the run has."""
    by = [] if run.spec.split.column is None else [run.spec.split.column]
    frame = table.read([run.target, *by])
    has_target = frame[run.target].is_not_null().to_numpy()
    rows = _to_split(run, frame.filter(pl.Series(has_target)))
    codes = np.full(frame.height, NO_TARGET, np.int8)
    if run.plan.splitting < BY_POSITION:
        codes[has_target] = assign_by_seed(rows, run.spec.fit.seed, run.plan.splitting)
        return codes
    stored = StoredRows(row_hashes(run.dataset, storage), arrivals(run.dataset))
    codes[has_target] = assign_by_position(
        rows, stored.where(has_target), run.plan.split_key
    )
    return codes


def _to_split(run: Run, frame: pl.DataFrame) -> RowsToSplit:
    shares = shares_of(run.spec.split, run.spec.fit)
    return RowsToSplit(frame, run.target, Task(run.task), run.spec.split, shares)
