"""Find the rows on which the versions of two runs may both be scored.

These are the test rows of the candidate that the rival neither trained nor validated on.
Without such test rows, they are the validation rows of the candidate that the rival did
not train on. Rows of different datasets are compared by their hashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.row_hashes import columns_of, row_hashes
from core.datasets.tables import Dataset
from core.runs.planning.splits import NAMES, TEST, TRAIN, VALIDATION, SplitCodes
from core.runs.planning.target_words import class_words
from core.runs.run_tables import open_dataset
from core.runs.splitting import split_rows, stored_split
from core.runs.tables import Run
from core.storage import Storage

GIVE_TEST = "give `split.test`, so that versions hold out the same rows"


@dataclass(frozen=True)
class Contender:
    """A run that is compared with another.

    Args:
        run: the run; RunMaintenance.validation has loaded its dataset with columns,
            blocks and lineage.
        validation: its validation dataset, loaded likewise, if it has one.

    """

    run: Run
    validation: Dataset | None = None


@dataclass(frozen=True)
class CommonRows:
    """Rows that two runs held out: their side, their dataset, and their indices in it.

    The dataset is that of the candidate, or its validation dataset. If there are no such
    rows, `side` is None, and `reason` says how to hold rows out.
    """

    side: str | None
    dataset: Dataset
    places: NDArray[np.int64]
    reason: str = ""


def codes_of(run: Run, storage: Storage) -> SplitCodes:
    """Return the code of each row of the run's dataset, stored or computed.

    RunMaintenance.validation must have loaded the dataset. Raises DatasetNotReady if one
    of its files is missing.
    """
    codes = stored_split(run, storage)
    if codes is not None:
        return codes
    words = class_words(run.target, run.plan.classes)
    with open_dataset(run.dataset, run.spec.features, storage, words) as table:
        return split_rows(run, table, storage)


def common_held_out(
    candidate: Contender, rival: Contender, storage: Storage
) -> CommonRows:
    """Return the rows of the candidate's datasets on which both runs may be scored.

    Raises DatasetNotReady if a file of a dataset is missing.
    """
    dataset = candidate.run.dataset
    codes = codes_of(candidate.run, storage)
    used = _used(dataset, candidate, rival, storage)
    test = np.flatnonzero((codes == TEST) & ~used.trained & ~used.validated)
    if len(test):
        return CommonRows(NAMES[TEST], dataset, test)
    if candidate.validation is not None:
        dataset = candidate.validation
        codes = np.full(dataset.num_rows, VALIDATION, np.int8)
        used = _used(dataset, candidate, rival, storage)
    places = np.flatnonzero((codes == VALIDATION) & ~used.trained)
    if len(places):
        return CommonRows(NAMES[VALIDATION], dataset, places)
    return CommonRows(None, dataset, places, GIVE_TEST)


@dataclass(frozen=True)
class _Used:
    """Masks of the rows of a dataset that a run trained on, and that it validated on."""

    trained: NDArray[np.bool_]
    validated: NDArray[np.bool_]


def _used(
    dataset: Dataset, candidate: Contender, rival: Contender, storage: Storage
) -> _Used:
    """Return which rows of a dataset of the candidate the rival used.

    The rows are compared by their hashes, unless both runs have the same dataset.
    """
    codes = codes_of(rival.run, storage)
    if dataset.id == rival.run.dataset_id and rival.validation is None:
        return _Used(codes == TRAIN, codes == VALIDATION)
    columns = columns_of(candidate.run.dataset)
    own = row_hashes(dataset, storage, columns)
    old = row_hashes(rival.run.dataset, storage, columns)
    validated = [old[codes == VALIDATION]]
    if rival.validation is not None:
        validated.append(row_hashes(rival.validation, storage, columns))
    trained = np.isin(own, old[codes == TRAIN])
    return _Used(trained, np.isin(own, np.concatenate(validated)))
