"""Write and read the hash of each row of a dataset.

Equal rows have equal hashes in every version of a dataset, whatever its file format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import NDArray

from core.columns.categorical import IDS_OR_NAMES
from core.columns.numeric import ID, ROW_NUMBER
from core.datasets.tables import Dataset, Lineage
from core.datasets.typed_table import table_gone_is_409
from core.datasets.value_hashes import (
    Hashes,
    cell_hashes,
    column_salt,
    missing_hash,
    mix,
)
from core.lazy import pl
from core.storage import Storage
from fitserve.schemas.datasets import ColumnRead

_ROWS, _COLUMNS = 200_000, 32
"""The most rows and columns in memory for a thread; the rows are whole row groups."""
_THREADS = 2
_CELLS = 50_000
"""The most cells that are hashed at once, so that arrays fit the processor's cache."""
_PART = 1_000_000
"""The most stored hashes that are read at once."""
_NAMES_ROWS = (ID, *IDS_OR_NAMES, ROW_NUMBER)
"""The reasons for leaving out columns that only number or name the rows."""


def hashed_columns(columns: Iterable[ColumnRead]) -> list[str]:
    """Return the columns whose values identify a row: all but ids and row numbers."""
    every = list(columns)
    chosen = [c.name for c in every if c.left_out not in _NAMES_ROWS]
    return chosen or [column.name for column in every]


def write_hashes(table: Path, columns: Sequence[str], target: Path) -> Path:
    """Write the hash of each row of a Parquet table to `target`, and return its path.

    A column that the table lacks counts as missing in every row.
    """
    with target.open("wb") as file:  # not a memory map, which crashes on a full disk
        rows = pl.scan_parquet(table)
        num_rows = _num_rows(rows)
        header = {"descr": "<u8", "fortran_order": False, "shape": (num_rows,)}
        write_array_header_1_0(file, header)
        for part in _parts_of_table(rows, num_rows, columns):
            file.write(part.astype("<u8", copy=False).data)
    return target


def _num_rows(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect().item())


def _parts_of_table(
    rows: pl.LazyFrame, num_rows: int, columns: Sequence[str]
) -> Iterator[Hashes]:
    """Yield the hashes of the rows of a table, `_ROWS` at a time."""

    def part_from(start: int) -> Hashes:
        return _hashes(rows.slice(start, _ROWS), columns, num_rows - start)

    with ThreadPoolExecutor(_THREADS) as threads:
        for first in range(0, num_rows, _THREADS * _ROWS):
            end = min(first + _THREADS * _ROWS, num_rows)
            yield from threads.map(part_from, range(first, end, _ROWS))


def _hashes(rows: pl.LazyFrame, columns: Sequence[str], left: int) -> Hashes:
    """Return the hashes of the first `_ROWS` rows; `rows` has `left` of them."""
    total = np.zeros(min(left, _ROWS), np.uint64)
    held = set(rows.collect_schema().names())
    for name in set(columns) - held:
        total += np.uint64(missing_hash(column_salt(name)))
    names = [name for name in columns if name in held]
    for first in range(0, len(names), _COLUMNS):
        part = rows.select(names[first : first + _COLUMNS]).collect()
        for column in part:
            _add_cells(total, column)
    return mix(total)


def _add_cells(total: Hashes, column: pl.Series) -> None:
    """Add the hash of each cell of a column to the hash of its row."""
    salt = column_salt(column.name)
    for first in range(0, len(column), _CELLS):
        cells = column.slice(first, _CELLS)
        total[first : first + _CELLS] += cell_hashes(cells, salt)


def row_hashes(
    dataset: Dataset, storage: Storage, columns: Sequence[str] | None = None
) -> Hashes:
    """Return the hash of each row of a dataset, whose lineage must be loaded.

    By default, the columns of the lineage are hashed. The table is read only if the
    dataset has no stored hashes of the columns. Raises DatasetNotReady if a file is
    missing.
    """
    own = columns_of(dataset)
    wanted = own if columns is None else columns
    lineage_id = dataset.lineage_id if wanted == own else None
    with table_gone_is_409():
        parts = _parts(dataset.blocks, wanted, lineage_id, storage)
        return np.concatenate([np.empty(0, np.uint64), *parts])


def hash_parts(
    blocks: Iterable[Dataset], lineage: Lineage, storage: Storage
) -> Iterator[Hashes]:
    """Yield the hashes of the rows of blocks, of the columns of a lineage, in parts.

    Raises FileNotFoundError if a file is gone.
    """
    return _parts(blocks, lineage.columns, lineage.id, storage)


def _parts(
    blocks: Iterable[Dataset],
    columns: Sequence[str],
    lineage_id: str | None,
    storage: Storage,
) -> Iterator[Hashes]:
    """Yield hashes of `columns`: stored ones if the block is of this lineage."""
    for block in blocks:
        if lineage_id and block.hash_key and block.lineage_id == lineage_id:
            with storage.local_copy(block.hash_key) as path:
                found: Hashes = np.load(path, mmap_mode="r", allow_pickle=False)
                for start in range(0, len(found), _PART):
                    yield found[start : start + _PART]
        else:
            with storage.local_copy(block.table_key) as table:
                rows = pl.scan_parquet(table)
                yield from _parts_of_table(rows, _num_rows(rows), columns)


def columns_of(dataset: Dataset) -> list[str]:
    """Return the columns that are hashed in a dataset, whose lineage must be loaded."""
    if dataset.lineage is not None:
        return dataset.lineage.columns
    return hashed_columns(dataset.columns)


def arrivals(dataset: Dataset) -> NDArray[np.int64]:
    """Return the number of the block of each row, from 0 in the order of the table."""
    sizes = [block.block_rows for block in dataset.blocks]
    return np.repeat(np.arange(len(sizes)), sizes)
