"""Convert a file whose columns have types to the typed table of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.columns.base import Hints
from core.columns.decide import decide_types
from core.columns.facts import (
    Cells,
    ColumnFacts,
    Wanted,
    given_types,
    null_words_wanted,
)
from core.columns.misfits import refuse_misfits
from core.columns.numeric import Numeric
from core.datasets import statistics
from core.datasets.check_types import check_types
from core.datasets.expected import Expected
from core.datasets.null_words import add_counts, may_have_words, words_in
from core.datasets.one_pass import Written, choose_text_type
from core.datasets.raw_table import ROW_GROUP, SAMPLE_ROWS, SMALL_CELLS
from core.datasets.typed_source import TypedSource
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.specs.parsing import ParsingSpec

_LEAST = 0.9
_NUMERIC = Numeric()


def write_typed_source(
    source: TypedSource,
    given: ParsingSpec,
    target: Path,
    expected: Expected | None = None,
) -> Written:
    """Write the typed table of a measured source to `target`.

    A column keeps the type that the file gives it, unless `given.types` has another.
    Texts are dates, booleans, categories or text, and never numbers. `expected` holds the
    columns of the version to which the rows are appended.
    """
    check_types(source.columns, given.types)
    asked = expected.wanted(given) if expected else given_types(given.types)
    wanted = _changed(source, asked)
    nulls = null_words_wanted(given.null_values, asked)
    source = replace(source, own_nulls=nulls.own)
    texts = [n for n, c in source.columns.items() if c.type is None or n in wanted]
    hints = Hints(decimal=given.decimal, is_typed=True)
    sample = source.texts(texts).head(SAMPLE_ROWS).collect()
    plan = _plan(source, Cells(sample.lazy(), is_small=True), texts, wanted, hints)
    written = _by_plan(source, plan, texts, set(wanted), target)
    if written is None:
        is_small = source.num_rows * len(texts) <= SMALL_CELLS
        cells = Cells(source.texts(texts), is_small=is_small)
        plan = _plan(source, cells, texts, wanted, hints)
        refuse_misfits(cells, wanted, plan)
        written = _written(source, plan, texts, target)
    nulls.noted(written.columns)
    _count_null_words(source, given, written)
    _warn_of_infinite(source, written)
    own = [fact for fact in written.columns if fact.name not in wanted]
    _warn_of_numbers(source, sample, own)
    _refuse_nul(source, written)
    return written


def write_texts(
    source: TypedSource, wanted: Mapping[str, Wanted], hints: Hints, target: Path
) -> list[ColumnFacts]:
    """Read the columns in `wanted` from their texts with these types; write them."""
    names = list(wanted)
    cells = Cells(source.texts(names), source.num_rows * len(names) <= SMALL_CELLS)
    columns = decide_types(cells, names, wanted, hints)
    source.texts(names).select(fact.typed() for fact in columns).sink_parquet(
        target, compression="zstd", row_group_size=ROW_GROUP
    )
    return columns


def _changed(source: TypedSource, asked: Mapping[str, Wanted]) -> dict[str, Wanted]:
    """Return the types and notations that differ from those of the file."""
    columns = source.columns
    return {
        name: want
        for name, want in asked.items()
        if name in columns
        and (want.options is not None or columns[name].type != want.type)
    }


def _plan(
    source: TypedSource,
    cells: Cells,
    texts: list[str],
    wanted: Mapping[str, Wanted],
    hints: Hints,
) -> list[ColumnFacts]:
    mixed = [name for name in texts if source.columns[name].is_mixed]
    pure = [name for name in texts if not source.columns[name].is_mixed]
    as_in_csv = replace(hints, is_typed=False)
    decided = {
        fact.name: fact
        for fact in (
            *decide_types(cells, pure, wanted, hints),
            *decide_types(cells, mixed, wanted, as_in_csv),
        )
    }
    return [decided.get(name) or c.facts() for name, c in source.columns.items()]


def _columns(source: TypedSource, texts: list[str]) -> pl.LazyFrame:
    """Return the rows in which the columns `texts` are text, and the others are typed."""
    names = set(texts)
    return source.frame.select(
        column.text(source.nulls_of(name))
        if name in names
        else column.value(source.nulls_of(name))
        for name, column in source.columns.items()
    )


def _typed(plan: list[ColumnFacts], texts: list[str]) -> list[pl.Expr]:
    names = set(texts)
    return [f.typed() if f.name in names else pl.col(f.name) for f in plan]


def _by_plan(
    source: TypedSource,
    plan: list[ColumnFacts],
    texts: list[str],
    given: set[str],
    target: Path,
) -> Written | None:
    """Write the table; return None if a cell contradicts the plan."""
    if any(fact.is_counted for fact in plan):
        return None  # the counts need all rows
    written = _written(source, plan, texts, target)
    if not _is_as_planned(source, written, texts):
        return None
    for fact, stats in zip(plan, written.stats, strict=True):
        if fact.name in texts and fact.kind.is_text and fact.name not in given:
            choose_text_type(fact, stats)
    return written


def _written(
    source: TypedSource, plan: list[ColumnFacts], texts: list[str], target: Path
) -> Written:
    """Write the table, then compute the statistics of the written columns.

    Both in one pass would need memory without bound: reading is faster than writing.
    """
    table = _columns(source, texts).select(_typed(plan, texts))
    if source.num_rows * len(plan) <= SMALL_CELLS:
        table.collect(engine="in-memory").write_parquet(target, compression="zstd")
    else:
        # zstd would take a fifth more time, for a tenth fewer bytes
        table.sink_parquet(target, compression="lz4", row_group_size=ROW_GROUP)
    return Written(plan, statistics.of_table(pl.scan_parquet(target), plan))


def _is_as_planned(source: TypedSource, written: Written, texts: list[str]) -> bool:
    """Return whether every text fits the type to which its column was converted."""
    pairs = zip(written.columns, written.stats, strict=True)
    present = {
        fact.name: (fact, stats.present)
        for fact, stats in pairs
        if fact.name in texts and not fact.kind.is_text
    }
    if not present:
        return True
    cells = Cells(source.texts(list(present)), is_small=False)
    counts = cells.select(pl.all().count()).row(0)
    if counts != tuple(count for _, count in present.values()):
        return False
    odd = [
        differs.any()
        for name, (fact, _) in present.items()
        if (differs := fact.kind.differs(pl.col(name), fact.format)) is not None
    ]
    return not (odd and any(cells.select(*odd).row(0)))


def _warn_of_numbers(
    source: TypedSource, sample: pl.DataFrame, facts: list[ColumnFacts]
) -> None:
    """Add a warning to columns of text whose cells look like numbers."""
    for fact in facts:
        if source.columns[fact.name].is_wide:
            fact.warnings.append(
                "whole numbers beyond 2^53 are kept as text, because a number would lose "
                "their last digits"
            )
        elif (
            fact.kind.is_text
            and fact.name in sample.columns
            and not _is_mixed(source, fact)
        ):
            fact.warnings += _number_warning(sample[fact.name].drop_nulls().head(2_000))


def _count_null_words(source: TypedSource, given: ParsingSpec, written: Written) -> None:
    """Count the words that mean "missing" in columns of words; only a sheet has them."""
    facts = [
        fact
        for fact, stats in zip(written.columns, written.stats, strict=True)
        if stats.missing and may_have_words(fact)
        if source.columns[fact.name].in_sheet
    ]
    if given.null_values is None and facts:
        texts = source.as_written([fact.name for fact in facts])
        add_counts(facts, words_in(texts, source.nulls))


def _warn_of_infinite(source: TypedSource, written: Written) -> None:
    """Add a warning to columns of numbers that have infinite cells."""
    pairs = zip(written.columns, written.stats, strict=True)
    facts = {
        fact.name: fact
        for fact, stats in pairs
        if stats.missing and source.columns[fact.name].kind.is_float()
    }
    if not facts:
        return
    counted = source.frame.select(pl.col(list(facts)).is_infinite().sum())
    row = counted.collect(engine="streaming").row(0, named=True)
    for name, count in row.items():
        if count:
            warning = f"{count:,} cell(s) are infinite, and count as missing"
            facts[name].warnings.append(warning)


def _is_mixed(source: TypedSource, fact: ColumnFacts) -> bool:
    return source.columns[fact.name].is_mixed


def _number_warning(cells: pl.Series) -> list[str]:
    found = _NUMERIC.recognise(cells.to_list(), Hints())
    if not found:
        return []
    fits = pl.select(found[0].fits(pl.lit(cells))).to_series()
    if fits.sum() < _LEAST * len(cells):
        return []
    example = cells.filter(fits)[0]
    warning = (
        f"{fits.sum():,} of the first {len(cells):,} cells look like numbers, such as "
        f"{example[:40]!r}, but the file says that they are text; for numbers, give the "
        "column the type numeric"
    )
    return [warning]


def _refuse_nul(source: TypedSource, written: Written) -> None:
    """Raise InvalidTable if a text holds U+0000, which a database cannot store."""
    for fact, stats in zip(written.columns, written.stats, strict=True):
        if not stats.nul:
            continue
        text = source.columns[fact.name].text([])
        first = text.str.contains("\0", literal=True).arg_true().first()
        row = source.frame.select(first).collect(engine="streaming")
        raise InvalidTable(
            f"Row {row.item() + 1}, column {fact.name!r}: the cell contains the "
            "character U+0000; remove it."
        )
