"""Split the rows of a run before its fit, store the split, and check each side."""

import numpy as np

from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, raise_any
from core.lazy import pl
from core.runs.leases import Lease, LeaseLost
from core.runs.planning.split_counts import (
    counts_of,
    refuse_empty,
    rows_with_target,
    split_warnings,
    zero_weight_errors,
)
from core.runs.planning.splits import SplitCodes, shares_of
from core.runs.run_tables import RunTables
from core.runs.splitting import NO_TARGET, compute_split, stored_split
from core.runs.tables import Run
from core.storage import Storage, discard, scratch


def split_run(run: Run, tables: RunTables, storage: Storage, lease: Lease) -> SplitCodes:
    """Return the side of each row of the run's dataset, and record the split.

    An earlier attempt may have stored it. Raises InvalidSpec if a side that the spec asks
    for is empty, and LeaseLost.
    """
    stored = stored_split(run, storage)
    if stored is not None:
        return stored
    codes = compute_split(run, tables.train, storage)
    found = counts_of(codes)
    if tables.validation is not None:
        found["validation"] += rows_with_target(tables.validation, run.target)
    shares = shares_of(run.spec.split, run.spec.fit)
    refuse_empty(found, run.spec.split, shares)
    _refuse_zero_weights(run, tables.train, codes)
    warnings = _warnings(run, tables.train, codes)
    run.num_rows = {name: n for name, n in found.items() if n or name != "test"}
    run.warnings = [*run.warnings, *(w for w in warnings if w not in run.warnings)]
    _record(run, codes, storage, lease)
    return codes


def _refuse_zero_weights(run: Run, table: TypedTable, codes: SplitCodes) -> None:
    name = run.spec.fit.sample_weight
    if name is None:
        return
    weights = table.read([name])[name].cast(pl.Float32).fill_null(0).to_numpy()
    raise_any(InvalidSpec, zero_weight_errors(weights, codes, name))


def _warnings(run: Run, table: TypedTable, codes: SplitCodes) -> list[str]:
    """Return the warnings that need the rows, not only the profile."""
    split, column = run.spec.split, None
    if split.column is not None:
        has_target = pl.Series(codes != NO_TARGET)
        column = table.read([split.column])[split.column].filter(has_target)
    shares = shares_of(split, run.spec.fit)
    return split_warnings(split, column, shares, counts_of(codes))


def _record(run: Run, codes: SplitCodes, storage: Storage, lease: Lease) -> None:
    """Store the split, and its key and counts with the run."""
    key = f"runs/{run.id}/split-{lease.attempt}.npy"
    with scratch() as folder:
        path = folder / "split.npy"
        np.save(path, codes, allow_pickle=False)
        storage.put(path, key)
    try:
        lease.record_split(key, run.num_rows, run.warnings)
    except LeaseLost:  # another attempt owns the run now
        discard(storage, [key])
        raise
    run.split_key = key
