"""Find the rows that a run held out, to score versions on them.

A worker stores the side of each row. The rows of runs of earlier releases are split
again, by the rule that the run had (core/runs/splitting.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.columns.facts import Wanted
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable, open_table
from core.errors import CannotScore, InvalidTable, OverLimit
from core.lazy import pl
from core.models.signature import Signature
from core.runs.planning.column_names import ColumnNames
from core.runs.planning.splits import NAMES, SplitCodes
from core.runs.planning.target_words import class_words
from core.runs.reporting.row_sets import Contender, common_held_out
from core.runs.run_tables import may_stand, open_dataset, open_validation
from core.runs.splitting import split_rows
from core.runs.tables import Run
from core.storage import Storage

MOST_ROWS = 20_000
"""If a run held out more rows, this many are drawn with the run's seed."""
_PLACE = "\0place"  # no CSV has a column of this name
_MOST_STORED = 1_000_000
"""The API process does not read tables with more rows than this."""


def side_of(run: Run) -> str | None:
    """Return `test` if the run has test rows, else `validation`; None without either."""
    return next((s for s in ("test", "validation") if run.num_rows.get(s)), None)


@dataclass(frozen=True)
class HeldOutRows:
    """Rows that a run held out; each version reads them by its own rules.

    Args:
        run: the run that held them out.
        dataset: the dataset that holds them.
        places: the indices of the rows in the dataset, from 0.
        storage: the storage of the tables.
        side: `test` or `validation`.
        weights: the sample weight of each row; None if the run has no weights.

    """

    run: Run
    dataset: Dataset
    places: NDArray[np.int64]
    storage: Storage
    side: str
    weights: NDArray[np.float64] | None = None

    def groups(self) -> NDArray[Any] | None:
        """Return the group of each row if groups are held out, else None."""
        split = self.run.spec.split
        stored = [column.name for column in self.dataset.columns]
        if split.by != "group" or split.column not in stored:
            return None
        with open_table(self.dataset, self.storage) as table:
            found = self._frame(table, [split.column])[split.column]
        return found.cast(pl.String).fill_null("").to_numpy()

    def targets(self) -> pl.Series:
        """Return the target of each row, as the run reads it."""
        run = self.run
        words = class_words(run.target, run.plan.classes)
        with open_dataset(self.dataset, run.spec.features, self.storage, words) as table:
            return self._frame(table, [self.run.target])[self.run.target]

    def features(self, signature: Signature) -> pl.DataFrame:
        """Return the dataset's columns that the version needs, with the version's types.

        Raises CannotScore if no cell of a column fits its type in training.
        """
        stored = {column.name: column for column in self.dataset.columns}
        spelling = ColumnNames(stored).spelling
        named = {spelling(feature.name): feature for feature in signature.features}
        held = {name: feature for name, feature in named.items() if name in stored}
        wanted = {
            name: Wanted(feature.type, feature.format)
            for name, feature in held.items()
            if signature.reading > 1 and not may_stand(stored[name], feature)
        }
        try:
            with open_table(self.dataset, self.storage, wanted) as table:
                found = self._frame(table, list(held))
                return found.rename({name: f.name for name, f in held.items()})
        except InvalidTable as error:
            raise CannotScore(
                f"The held-out rows do not fit the columns of the version: {error.detail}"
            ) from error

    def _frame(self, table: TypedTable, names: list[str]) -> pl.DataFrame:
        rows = table.scan().select(names).with_row_index(_PLACE)
        places = pl.Series(self.places).implode()
        found = rows.filter(pl.col(_PLACE).is_in(places)).drop(_PLACE)
        return found.collect(engine="streaming")


def held_out_rows(run: Run, validation: Dataset | None, storage: Storage) -> HeldOutRows:
    """Find the rows that a run held out.

    Args:
        run: the run that held them out.
        validation: its validation dataset, if it has one.
        storage: the storage of the tables.

    Raises CannotScore if the run held out no rows or its dataset was deleted,
    OverLimit if the table is too large, DatasetNotReady if its file is missing.

    """
    side = side_of(run)
    if side is None:
        raise CannotScore(f"The run {run.id} has no held-out rows to score versions on.")
    other = validation if side == "validation" else None
    dataset = run.dataset if other is None else other
    _refuse_unreadable(dataset, run)
    with _opened(run, other, storage) as table:
        codes = split_rows(run, table, storage) if other is None else None
        places = _drawn(_places(run, table, codes, side), run)
        weights = _weights(run, table, places)
    return HeldOutRows(run, dataset, places, storage, side, weights)


def common_rows(candidate: Contender, rival: Contender, storage: Storage) -> HeldOutRows:
    """Find rows of the candidate's datasets that neither run trained on.

    Raises CannotScore if no such row exists, and the errors of `held_out_rows`.
    """
    run = candidate.run
    for one in (candidate, rival):
        _refuse_unreadable(one.run.dataset, one.run)
    found = common_held_out(candidate, rival, storage)
    if found.side is None:
        raise CannotScore(
            f"No row was held out by both {run.id} and {rival.run.id}: {found.reason}, "
            "or promote without `current` in the requirements."
        )
    other = None if found.dataset is run.dataset else found.dataset
    with _opened(run, other, storage) as table:
        scored = _places(run, table, None, found.side)
        places = _drawn(np.intersect1d(found.places, scored), run)
        weights = _weights(run, table, places)
    return HeldOutRows(run, found.dataset, places, storage, found.side, weights)


@contextmanager
def _opened(
    run: Run, validation: Dataset | None, storage: Storage
) -> Iterator[TypedTable]:
    """Open the dataset of a run, or its validation dataset, with the run's types."""
    words = class_words(run.target, run.plan.classes)
    with open_dataset(run.dataset, run.spec.features, storage, words) as train:
        if validation is None:
            yield train
            return
        names = [run.target, *run.spec.fit.weight_columns]
        with open_validation(validation, train, names, storage) as held:
            yield held


def _refuse_unreadable(dataset: Dataset, run: Run) -> None:
    """Raise CannotScore if the dataset was deleted, OverLimit if it is too large."""
    if dataset.deleted_at is not None:
        raise CannotScore(
            f"The dataset {dataset.name!r} of the run {run.id} was deleted. Promote "
            "without `require`, or upload the dataset and train again."
        )
    if dataset.num_rows > _MOST_STORED:
        raise OverLimit(
            f"The table has {dataset.num_rows:,} rows; versions are scored on tables of "
            f"at most {_MOST_STORED:,} rows. Promote without `require`."
        )


def _places(
    run: Run, table: TypedTable, codes: SplitCodes | None, side: str
) -> NDArray[np.int64]:
    """Return the indices of the rows of a side that have a target and a weight above 0.

    `codes` is None for a validation dataset, in which all rows count.
    """
    weight = run.spec.fit.sample_weight
    deciding = table.read([run.target, *run.spec.fit.weight_columns])
    counts = deciding[run.target].is_not_null().to_numpy()
    if weight is not None:
        weights = deciding[weight].cast(pl.Float64).fill_null(0)
        counts = counts & (weights.to_numpy() > 0)
    if codes is not None:
        counts = counts & (codes == NAMES.index(side))
    return np.flatnonzero(counts)


def _drawn(places: NDArray[np.int64], run: Run) -> NDArray[np.int64]:
    if len(places) <= MOST_ROWS:
        return places
    rng = np.random.default_rng(run.spec.fit.seed)
    return np.sort(rng.choice(places, MOST_ROWS, replace=False))


def _weights(
    run: Run, table: TypedTable, places: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Return the sample weights of the rows; None if the run has no weights."""
    name = run.spec.fit.sample_weight
    if name is None:
        return None
    weights: NDArray[np.float64] = table.read([name])[name].cast(pl.Float64).to_numpy()
    return weights[places]
