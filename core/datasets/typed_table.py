"""Open the table of a dataset for a run; a spec may change the types of columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.columns.date_order import stored_orders
from core.columns.facts import Wanted, given_types
from core.datasets import statistics
from core.datasets.blocks import block_files, concat_blocks
from core.datasets.profile import profile_rows
from core.datasets.rereading import Uploaded
from core.datasets.rereading_blocks import BlockFiles, read_blocks_again
from core.datasets.tables import Dataset
from core.errors import DatasetNotReady
from core.lazy import pl
from core.storage import Storage, scratch
from fitserve.schemas.datasets import ColumnRead


@dataclass(frozen=True)
class TypedTable:
    """The rows of a dataset, and facts about its columns.

    Args:
        name: the name of the dataset.
        num_rows: the number of rows in the dataset.
        columns: facts about each column, in the order of the file.
        paths: the Parquet files of the blocks of rows, in their order.
        again: for each block, a Parquet file with the columns that were read again, in
            the same rows; None if the block has none of them.
        warnings: about the columns that were read again, by column.
        words: for each column, the words that are values in it, although they mean
            "missing" in other columns.

    """

    name: str
    num_rows: int
    columns: list[ColumnRead]
    paths: Sequence[Path]
    again: Sequence[Path | None] = ()
    warnings: Mapping[str, list[str]] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def scan(self) -> pl.LazyFrame:
        """Return the rows; columns that were read again replace the stored ones."""
        stored = [pl.scan_parquet(path) for path in self.paths]
        if not self.again:
            return concat_blocks(stored)
        pairs = zip(stored, self.again, strict=True)
        rows = concat_blocks([_replaced(block, again) for block, again in pairs])
        return rows.select(column.name for column in self.columns)

    def read(self, names: Iterable[str]) -> pl.DataFrame:
        """Return the columns `names` in memory; repeated names are ignored."""
        return self.scan().select(list(dict.fromkeys(names))).collect()

    def column(self, name: str) -> ColumnRead | None:
        """Return the facts about a column; None if there is no such column."""
        return next((column for column in self.columns if column.name == name), None)


def _replaced(stored: pl.LazyFrame, path: Path | None) -> pl.LazyFrame:
    """Return the rows of a block with the columns that were read again."""
    if path is None:
        return stored
    again = pl.scan_parquet(path)
    names = again.collect_schema().names()
    return pl.concat([stored.drop(names), again], how="horizontal")


@contextmanager
def open_table(
    dataset: Dataset, storage: Storage, wanted: Mapping[str, Wanted] | None = None
) -> Iterator[TypedTable]:
    """Open the table of a dataset, with the types in `wanted`.

    If a column is stored with another type or format, the column is read again from the
    uploaded files, as if the upload had given the wanted type. Raises InvalidTable if a
    wanted type fits no cell of its column, and DatasetNotReady if the files are gone.
    """
    stored = {column.name: column for column in dataset.columns}
    given = given_types(dataset.options.types)
    other = {
        name: want
        for name, want in (wanted or {}).items()
        if name in stored and not _is_stored(stored[name], want, given.get(name))
    }
    with table_gone_is_409(), block_files(dataset.blocks, storage) as paths:
        table = TypedTable(dataset.name, dataset.num_rows, dataset.columns, paths)
        if not other:
            yield table
            return
        with scratch() as folder:
            yield _read_again(table, dataset, storage, folder, other)


def _is_stored(held: ColumnRead, want: Wanted, given: Wanted | None) -> bool:
    """Return whether a column was read as wanted; `given` is the type of the upload."""
    if want.words:
        return False
    if want == given:
        return True
    if held.type != want.type or want.options is not None:
        return False
    if want.format is not None:
        return want.format == held.format
    return want.null_words(None) is None or held.format.null_values is not None


def _read_again(
    table: TypedTable,
    dataset: Dataset,
    storage: Storage,
    folder: Path,
    wanted: Mapping[str, Wanted],
) -> TypedTable:
    """Return the table with the columns in `wanted` read again from the uploads."""
    others = {c.name: c.format for c in table.columns if c.name not in wanted}
    orders = stored_orders(others, table.scan())
    with block_files(dataset.blocks, storage, "content_key") as sources:
        files = [
            BlockFiles(uploaded(block, source), path, block.version)
            for block, source, path in zip(
                dataset.blocks, sources, table.paths, strict=True
            )
        ]
        reread = read_blocks_again(files, folder, wanted, orders)
    table = replace(table, again=reread.paths)
    rows = table.scan().select(fact.name for fact in reread.columns)
    stats = statistics.of_table(rows, reread.columns)
    profiled = profile_rows(rows, reread.columns, stats)
    columns = {column.name: column for column in [*table.columns, *profiled]}
    return replace(
        table,
        columns=list(columns.values()),
        warnings={fact.name: fact.warnings for fact in reread.columns},
        words={name: want.words for name, want in wanted.items() if want.words},
    )


def uploaded(block: Dataset, source: Path) -> Uploaded:
    """Return the file of a block, and how it was read."""
    return Uploaded(source, block.block_options, block.parsing, block.block_rows)


@contextmanager
def table_gone_is_409() -> Iterator[None]:
    """Raise DatasetNotReady (409) if a file of the table is missing."""
    try:
        yield
    except FileNotFoundError as error:
        raise DatasetNotReady(
            "The table no longer exists: its dataset was just deleted, or its file was "
            "lost. Upload the dataset again."
        ) from error
