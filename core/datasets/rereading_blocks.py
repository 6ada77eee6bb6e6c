"""Read columns of all blocks of a dataset again, with types that differ from the stored.

Each block is read from its own upload, in its own layout. The first block that has a
column shows the notation of its cells, in which later blocks are read, as in an append.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.columns.choice import MOST_STRAYS
from core.columns.facts import ColumnFacts, Wanted
from core.datasets.null_words import sum_counts
from core.datasets.rereading import Reread, Uploaded, read_again
from core.lazy import pl
from fitserve.enums import ColumnType


@dataclass(frozen=True)
class RereadBlocks:
    """The columns that were read again.

    Args:
        paths: a Parquet file for each block; None for a block with none of the columns.
        columns: the facts about each column, over all blocks.

    """

    paths: list[Path | None]
    columns: list[ColumnFacts]


@dataclass(frozen=True)
class BlockFiles:
    """A block of rows with its upload and its stored table."""

    upload: Uploaded
    table: Path
    version: int


def read_blocks_again(
    blocks: Sequence[BlockFiles],
    folder: Path,
    wanted: Mapping[str, Wanted],
    day_first: Mapping[str, bool],
) -> RereadBlocks:
    """Read the columns in `wanted` from the upload of each block again.

    `day_first` holds the orders of day and month that other columns prove. Raises
    InvalidTable if a wanted type fits no cell of the first block with the column.
    """
    facts: dict[str, ColumnFacts] = {}
    paths: list[Path | None] = []
    for number, block in enumerate(blocks):
        held = pl.scan_parquet(block.table).collect_schema().names()
        own = {
            name: _as_before(want, facts.get(name), block.upload)
            for name, want in wanted.items()
            if name in held
        }
        if not own:
            paths.append(None)
            continue
        block_folder = folder / str(number)
        block_folder.mkdir()
        reread = read_again(block.upload, block_folder, own, day_first)
        _merge(facts, reread, block, is_only=len(blocks) == 1)
        paths.append(reread.path)
    return RereadBlocks(paths, [facts[name] for name in wanted if name in facts])


def _as_before(want: Wanted, known: ColumnFacts | None, upload: Uploaded) -> Wanted:
    """Return the type with the notation of an earlier block, if there is one."""
    has_own_mark = want.type == ColumnType.NUMERIC and upload.given.decimal is not None
    if known is None or want.format is not None or has_own_mark:
        return want if known is None else replace(want, is_fixed=True)
    return replace(want, format=known.format, options=None, is_fixed=True)


def _merge(
    facts: dict[str, ColumnFacts], reread: Reread, block: BlockFiles, *, is_only: bool
) -> None:
    """Add the facts about the columns of one more block."""
    for fact in reread.columns:
        where = "" if is_only else f"in the file of version {block.version}: "
        warnings = [where + warning for warning in fact.warnings]
        known = facts.get(fact.name)
        if known is None:
            facts[fact.name] = replace(fact, warnings=warnings)
            continue
        known.warnings += warnings
        known.null_words = sum_counts(known.null_words, fact.null_words)
        known.format = known.format.model_copy(update=_strays(known, fact))


def _strays(known: ColumnFacts, more: ColumnFacts) -> dict[str, object]:
    strays = sorted({*known.format.strays, *more.format.strays})
    has_more = known.format.more_strays or more.format.more_strays
    return {
        "strays": strays[:MOST_STRAYS],
        "more_strays": has_more or len(strays) > MOST_STRAYS,
    }
