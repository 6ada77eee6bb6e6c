"""Say how many rows of an append are already in the version that it extends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.row_hashes import hash_parts
from core.datasets.table_warnings import TableWarning
from core.datasets.tables import Dataset, Lineage
from core.datasets.value_hashes import Hashes
from core.storage import Storage
from fitserve.enums import WarningKind
from fitserve.names import version_ref

_ADDED_ROWS = 4_000_000
"""The most appended rows that one pass over the earlier rows compares."""
_LEAST_SHARE = 0.01
"""The least share of repeated rows that is reported."""
_SHOWN = 3
Counts = NDArray[np.int64]


def repeated_rows(
    hashes: Path, parent: Dataset, lineage: Lineage, storage: Storage
) -> list[TableWarning]:
    """Return the warning about appended rows that are already in `parent`, if any.

    It is for information unless most rows repeat. `hashes` is the file with the hashes of
    the appended rows. A table whose own rows mostly repeat gets no warning. Raises
    FileNotFoundError if earlier rows are gone.
    """
    added: Hashes = np.load(hashes, mmap_mode="r")
    repeated, different = 0, 0
    for start in range(0, len(added), _ADDED_ROWS):
        part = np.unique(added[start : start + _ADDED_ROWS], return_counts=True)
        repeated += _count(*part, hash_parts(parent.blocks, lineage, storage))
        different += len(part[0])
    if repeated < max(1, _LEAST_SHARE * len(added)) or 2 * different < len(added):
        return []
    is_mostly = 2 * repeated > len(added)
    kind = WarningKind.REPEATED if is_mostly else WarningKind.APPENDED
    return [TableWarning(kind, _sentence(repeated, len(added), parent, lineage))]


def _count(values: Hashes, counts: Counts, earlier: Iterable[Hashes]) -> int:
    """Return how many appended rows occur earlier.

    `values` are their distinct hashes in ascending order, and `counts` count their rows.
    """
    is_earlier = np.zeros(len(values), bool)
    for part in earlier:
        hashes = np.sort(part)
        places = np.minimum(np.searchsorted(values, hashes), len(values) - 1)
        is_earlier[places[values[places] == hashes]] = True
    return int(counts[is_earlier].sum())


def _sentence(repeated: int, added: int, parent: Dataset, lineage: Lineage) -> str:
    known = set(lineage.columns)
    ignored = [repr(c.name) for c in parent.columns if c.name not in known][:_SHOWN]
    without = f" (compared without {', '.join(ignored)})" if ignored else ""
    verbs = ("is", "counts") if repeated == 1 else ("are", "count")
    where = f"{version_ref(parent.name, parent.version)}{without}"
    return (
        f"{repeated:,} of the {added:,} appended rows {verbs[0]} already in "
        f"{where} and {verbs[1]} twice; a random split "
        "keeps equal rows together. If they were appended by mistake, delete this version"
    )
