"""Say what differs between the rows of an append and the rows before them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.columns.facts import ColumnFacts
from core.datasets.blocks import scan_files
from core.lazy import pl
from fitserve.enums import ColumnType
from fitserve.names import nearest
from fitserve.schemas.datasets import ColumnRead

_SHOWN = 5
_MISSING = "missing in rows"


def differences(
    before: Sequence[ColumnRead],
    added: Sequence[ColumnFacts],
    table: Path,
    earlier: Sequence[Path],
    num_earlier: int,
) -> dict[str, list[str]]:
    """Return sentences about new columns, absent columns and new categories, by column.

    Args:
        before: the columns of the version that is extended.
        added: the columns of the file.
        table: the Parquet file of the added rows.
        earlier: the Parquet files of the earlier rows.
        num_earlier: the number of earlier rows.

    """
    rows = pl.scan_parquet(table)
    where = _span(num_earlier + 1, num_earlier + rows.select(pl.len()).collect().item())
    known, own = {c.name: c for c in before}, {fact.name for fact in added}
    found = {
        name: [f"{_MISSING} {where}: their file lacks the column"]
        for name in known
        if name not in own
    }
    for fact in added:
        if fact.name not in known:
            first = _span(1, num_earlier)
            found[fact.name] = [f"{_MISSING} {first}: they are earlier than the column"]
        elif known[fact.name].type == ColumnType.CATEGORICAL:
            found |= _of_categories(fact.name, where, rows, scan_files(earlier))
    return found


def misspelt(before: Sequence[ColumnRead], added: Sequence[ColumnFacts]) -> list[str]:
    """Return a warning for each new column whose name is near that of an absent one."""
    known, own = {c.name for c in before}, {fact.name for fact in added}
    absent = [column.name for column in before if column.name not in own]
    new = [fact.name for fact in added if fact.name not in known]
    pairs = [(name, near) for name in new if (near := nearest(name, absent))]
    return [
        f"the file has the new column {name!r} and lacks {near!r}: did you mean "
        f"`{near}`? If so, delete this version, rename the column in the file, and "
        "append the file again"
        for name, near in pairs
    ]


def _span(first: int, last: int) -> str:
    return f"{first:,} to {last:,}"


def _of_categories(
    name: str, where: str, rows: pl.LazyFrame, earlier: pl.LazyFrame
) -> dict[str, list[str]]:
    """Return the sentence about categories that no earlier row has, if there are any."""
    values = rows.select(pl.col(name).cast(pl.String)).drop_nulls()
    known = earlier.select(pl.col(name).cast(pl.String)).drop_nulls().unique()
    unseen = values.group_by(name).len("count").join(known, on=name, how="anti")
    counts = unseen.collect(engine="streaming").sort(name)
    if not counts.height:
        return {}
    shown = ", ".join(repr(value[:40]) for value in counts[name].head(_SHOWN))
    noun = "category occurs" if counts.height == 1 else "categories occur"
    sentence = (
        f"{counts.height:,} {noun} first in rows {where} ({counts['count'].sum():,} "
        f"cells), such as {shown}"
    )
    return {name: [sentence]}
