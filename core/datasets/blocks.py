"""Scan the blocks of rows of a dataset as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from core.datasets.tables import Dataset
from core.lazy import pl
from core.storage import Storage


@contextmanager
def block_files(
    blocks: Sequence[Dataset],
    storage: Storage,
    kind: Literal["table_key", "content_key"] = "table_key",
) -> Iterator[list[Path]]:
    """Provide the Parquet files of blocks, or their uploads, in their order.

    Raises FileNotFoundError if one is gone.
    """
    keys = [getattr(block, kind) for block in blocks]
    with ExitStack() as stack:
        yield [stack.enter_context(storage.local_copy(key)) for key in keys]


def scan_files(paths: Sequence[Path]) -> pl.LazyFrame:
    """Return the rows of Parquet files, one file after the other."""
    return concat_blocks([pl.scan_parquet(path) for path in paths])


def concat_blocks(blocks: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Return the rows of blocks, one block after the other.

    A column that a block lacks is null in its rows. A column has the datatype of the last
    block that has the column: in earlier blocks, only a column without values differs.
    """
    if len(blocks) == 1:
        return blocks[0]
    schemas = [block.collect_schema() for block in blocks]
    kinds = {name: kind for schema in schemas for name, kind in schema.items()}
    parts = [
        block.select(_cells(schema, name, kind) for name, kind in kinds.items())
        for block, schema in zip(blocks, schemas, strict=True)
    ]
    return pl.concat(parts, how="vertical")


def _cells(schema: pl.Schema, name: str, kind: pl.DataType) -> pl.Expr:
    if name not in schema:
        return pl.lit(None, kind).alias(name)
    return pl.col(name) if schema[name] == kind else pl.col(name).cast(kind, strict=False)
