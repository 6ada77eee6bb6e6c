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
    SplitCodes,
    StoredRows,
    assign,
    assign_by_position,
    shares_of,
)
from core.runs.tables import Run
from core.storage import Storage
from fitserve.enums import Task

NO_TARGET = -1


def split_rows(run: Run, table: TypedTable, storage: Storage) -> SplitCodes:
    """Return the code of each row: the stored ones if there are any.

    `table` is the dataset of the run with the run's types; the lineage of the dataset is
    loaded. Raises InvalidSpec if the column of the split does not determine a split.
    """
    stored = stored_split(run, storage)
    return compute_split(run, table, storage) if stored is None else stored


def stored_split(run: Run, storage: Storage) -> SplitCodes | None:
    """Return the codes that a worker stored; None before that."""
    if run.split_key is None:
        return None
    try:
        with storage.local_copy(run.split_key) as path:
            codes: SplitCodes = np.load(path, allow_pickle=False)
            return codes
    except FileNotFoundError:  # its version was deleted
        return None


def compute_split(run: Run, table: TypedTable, storage: Storage) -> SplitCodes:
    """Return the code of each row by the rule of the run."""
    by = [] if run.spec.split.column is None else [run.spec.split.column]
    frame = table.read([run.target, *by])
    is_known = frame[run.target].is_not_null().to_numpy()
    rows = frame.filter(pl.Series(is_known))
    codes = np.full(frame.height, NO_TARGET, np.int8)
    if run.plan.splitting < BY_POSITION:
        codes[is_known] = _drawn(run, rows)
        return codes
    stored = StoredRows(row_hashes(run.dataset, storage), arrivals(run.dataset))
    codes[is_known] = _by_position(run, rows, stored.where(is_known))
    return codes


def _drawn(run: Run, rows: pl.DataFrame) -> SplitCodes:
    spec, task = run.spec, Task(run.task)
    shares, splitting = shares_of(spec.split, spec.fit), run.plan.splitting
    return assign(rows, run.target, task, spec.split, shares, spec.fit.seed, splitting)


def _by_position(run: Run, rows: pl.DataFrame, stored: StoredRows) -> SplitCodes:
    spec, task, key = run.spec, Task(run.task), run.plan.split_key
    shares = shares_of(spec.split, spec.fit)
    return assign_by_position(rows, run.target, task, spec.split, shares, stored, key)
