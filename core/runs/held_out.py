"""The rows that a run's figures are about, found again from what is stored of it.

The worker parts the rows by the same function (splits.py) of the same columns, and the
seed is in the spec; so nothing need be written down but what a run is made of.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.columns.decide import Wanted
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable, open_table
from core.errors import InvalidTable, OverLimit, Unscored
from core.models.signature import Signature
from core.runs.run_tables import may_stand, open_dataset, open_validation
from core.runs.split_counts import shares_of
from core.runs.splits import NAMES, assign
from core.runs.tables import Run
from core.storage import Storage
from fitserve.statuses import Task

MOST_ROWS = 20_000
"""Above it so many of them are drawn, by the run's seed."""
_PLACE = "\0place"  # no column of a CSV is called so
_MOST_STORED = 1_000_000
"""Rows of a table that the API process looks through."""


def side_of(run: Run) -> str | None:
    """`test` where the run has such rows, else `validation`; None without either."""
    return next((s for s in ("test", "validation") if run.num_rows.get(s)), None)


@dataclass(frozen=True)
class HeldOutRows:
    """Rows that a run held out, for any version to read in its own way.

    Args:
        run: whose rows.
        dataset: where they are stored.
        places: of the rows, from 0.
        storage: where tables are.

    """

    run: Run
    dataset: Dataset
    places: NDArray[np.int64]
    storage: Storage

    def targets(self) -> pl.Series:
        """Return the target of each row, as the run reads it."""
        with open_dataset(self.dataset, self.run.spec.features, self.storage) as table:
            return self._frame(table, [self.run.target])[self.run.target]

    def features(self, signature: Signature) -> pl.DataFrame:
        """Return the columns that a version needs and the dataset has, as it reads them.

        Raises Unscored where a column is not of the type that the version trained on.
        """
        stored = {column.name: column for column in self.dataset.columns}
        held = [feature for feature in signature.features if feature.name in stored]
        wanted = {
            feature.name: Wanted(feature.type, feature.format)
            for feature in held
            if signature.reading > 1 and not may_stand(stored[feature.name], feature.type)
        }
        try:
            with open_table(self.dataset, self.storage, wanted) as table:
                return self._frame(table, [feature.name for feature in held])
        except InvalidTable as error:
            raise Unscored(
                f"The held-out rows are not like those of the version: {error.detail}"
            ) from error

    def _frame(self, table: TypedTable, names: list[str]) -> pl.DataFrame:
        rows = table.scan().select(names).with_row_index(_PLACE)
        places = pl.Series(self.places).implode()
        found = rows.filter(pl.col(_PLACE).is_in(places)).drop(_PLACE)
        return found.collect(engine="streaming")


def held_out_rows(run: Run, validation: Dataset | None, storage: Storage) -> HeldOutRows:
    """Find the rows that a run held out.

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
    with open_dataset(run.dataset, run.spec.features, storage) as train:
        if not is_own:
            places = _places(run, train, side)
            return HeldOutRows(run, dataset, _some(places, run), storage)
        with open_validation(dataset, train, [run.target], storage) as held:
            places = _places(run, held, None)
            return HeldOutRows(run, dataset, _some(places, run), storage)


def _places(run: Run, table: TypedTable, side: str | None) -> NDArray[np.int64]:
    """Where the rows of a side stand; all that have a target where it is None."""
    spec = run.spec
    by = [] if spec.split.column is None else [spec.split.column]
    deciding = table.read([run.target, *by])
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
