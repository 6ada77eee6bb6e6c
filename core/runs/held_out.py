"""The rows that a run's figures are about, found again from what is stored of it.

The worker parts the rows by the same function (splits.py) of the same columns, and the
seed is in the spec; so nothing need be written down but what a run is made of.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.datasets.service import table_gone_is_409
from core.datasets.tables import Dataset
from core.errors import OverLimit, Unscored
from core.runs.split_counts import shares_of
from core.runs.splits import NAMES, assign
from core.runs.tables import Run
from core.storage import Storage
from fitserve.statuses import Task

MOST_ROWS = 20_000
"""Above it so many of them are drawn, by the run's seed."""
_MOST_STORED = 1_000_000
"""Rows of a table that the API process looks through."""


def side_of(run: Run) -> str | None:
    """`test` where the run has such rows, else `validation`; None without either."""
    return next((s for s in ("test", "validation") if run.num_rows.get(s)), None)


@table_gone_is_409()
def held_out_rows(run: Run, validation: Dataset | None, storage: Storage) -> pl.DataFrame:
    """Raw rows with every column of the table.

    Args:
        run: whose rows.
        validation: its validation dataset, if it has one.
        storage: where tables are.

    Raises Unscored where the run held none out or its dataset was deleted, OverLimit for
    tables too large, DatasetNotReady where the file is gone.

    """
    side = side_of(run)
    if side is None:
        raise Unscored(f"The run {run.id} held no rows out to score versions on.")
    is_own = side == "validation" and validation is not None
    dataset = validation if is_own and validation is not None else run.dataset
    if dataset.deleted_at is not None:
        raise Unscored(
            f"The dataset {dataset.name!r} of the run {run.id} was deleted, and the rows "
            "with it. Promote without `require`, or upload it and train again."
        )
    if dataset.num_rows > _MOST_STORED:
        raise OverLimit(
            f"The table has {dataset.num_rows:,} rows; {_MOST_STORED:,} is the most that "
            "versions are scored on here. Promote without `require`."
        )
    table = pl.scan_parquet(storage.local_path(dataset.table_key))
    places = _places(run, table, None if is_own else side)
    rows = table.with_row_index("\0place").filter(
        pl.col("\0place").is_in(pl.Series(_some(places, run)).implode())
    )
    return rows.drop("\0place").collect(engine="streaming")


def _places(run: Run, table: pl.LazyFrame, side: str | None) -> NDArray[np.int64]:
    """Where the rows of a side stand; all that have a target where it is None."""
    spec = run.spec
    by = [] if spec.split.column is None else [spec.split.column]
    deciding = table.select(list(dict.fromkeys([run.target, *by]))).collect()
    known = np.flatnonzero(deciding[run.target].is_not_null().to_numpy())
    if side is None:
        return known
    sides = assign(
        deciding.drop_nulls(run.target),
        run.target,
        Task(run.task),
        spec.split,
        shares_of(spec.split, spec.fit),
        spec.fit.seed,
    )
    places: NDArray[np.int64] = known[sides == NAMES.index(side)]
    return places


def _some(places: NDArray[np.int64], run: Run) -> NDArray[np.int64]:
    if len(places) <= MOST_ROWS:
        return places
    rng = np.random.default_rng(run.spec.fit.seed)
    return np.sort(rng.choice(places, MOST_ROWS, replace=False))
