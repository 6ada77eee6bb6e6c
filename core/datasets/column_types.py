"""What type a column is: guessed from a sample, decided over all rows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from core.datasets.boolean_labels import boolean_labels
from core.datasets.cells import FALSE, TRUE
from core.datasets.number_formats import is_number, number_format, to_number
from core.datasets.time_formats import is_ambiguous, is_time, time_formats, to_time
from core.errors import InvalidTable
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.parsing import ParsingSpec
from fitserve.statuses import ColumnType

_SAMPLE = 2_000
_MOST_STRAYS = 50
_STRAY_SHARE = 0.05
_LEAST_FOR_STRAYS = 20
_EXACT_ROWS = 250_000
_LONG = 100


@dataclass
class ColumnFacts:
    """What the cells of a column are, and how they are written."""

    name: str
    type: ColumnType
    format: ColumnFormat = field(default_factory=ColumnFormat)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Candidate:
    """A type that the sample of a column fits."""

    type: ColumnType
    format: ColumnFormat
    warnings: Sequence[str] = ()

    def fits(self, text: pl.Expr) -> pl.Expr:
        """Whether cells are of this type."""
        match self.type:
            case ColumnType.BOOLEAN:
                return text.str.to_lowercase().is_in(TRUE + FALSE)
            case ColumnType.DATETIME:
                return is_time(text, self.format.datetime or "")
        return is_number(text, self.format)


@dataclass(frozen=True)
class Cells:
    """A table of text to ask; a small one is asked in memory.

    Streaming takes milliseconds and megabytes for each column that is counted, which is
    nothing in a long table, and gigabytes in one of 2,000 columns and two rows.
    """

    frame: pl.LazyFrame
    is_small: bool

    def select(self, *exprs: pl.Expr) -> pl.DataFrame:
        """The answers as a table."""
        asked = self.frame.select(*exprs)
        return asked.collect(engine="in-memory" if self.is_small else "streaming")


def decide_types(
    cells: Cells, names: list[str], given: ParsingSpec, *, comma_first: bool
) -> list[ColumnFacts]:
    """The type of every column of text in `cells` (trimmed, null where missing)."""
    if not names:
        return []
    found = [_candidates(cells, name, given, comma_first=comma_first) for name in names]
    counts = _count(cells, names, found)
    return [
        _decide(cells, name, counts[i], found[i], given.types.get(name))
        for i, name in enumerate(names)
    ]


def _candidates(
    cells: Cells, name: str, given: ParsingSpec, *, comma_first: bool
) -> list[Candidate]:
    wanted = given.types.get(name)
    sample = _sample(cells, name)
    if not sample or wanted in (ColumnType.CATEGORICAL, ColumnType.TEXT):
        return []
    found = [
        Candidate(ColumnType.BOOLEAN, ColumnFormat(labels=boolean_labels(sample))),
        *_number_candidates(sample, given.decimal, comma_first=comma_first),
        *_time_candidates(sample, day_first=comma_first),
    ]
    if wanted is None:
        return [] if _are_codes(sample) else found
    fitting = [candidate for candidate in found if candidate.type == wanted]
    if wanted == ColumnType.NUMERIC and not fitting:
        # few cells are numbers, yet those are wanted
        fitting = [Candidate(wanted, ColumnFormat(decimal=given.decimal or "."))]
    return fitting


def _sample(cells: Cells, name: str) -> list[str]:
    return cells.select(pl.col(name).drop_nulls().head(_SAMPLE)).to_series().to_list()


def _are_codes(sample: list[str]) -> bool:
    """Digits of one length with zeros in front are codes, not numbers."""
    lengths = {len(text) for text in sample}
    digits = all(re.fullmatch(r"[0-9]{2,}", text) for text in sample)
    return digits and len(lengths) == 1 and any(text[0] == "0" for text in sample)


def _number_candidates(
    sample: list[str], decimal: str | None, *, comma_first: bool
) -> list[Candidate]:
    form = number_format(sample, decimal, comma_first=comma_first)
    if form is None:
        return []
    return [Candidate(ColumnType.NUMERIC, form, _number_warnings(form))]


def _number_warnings(form: ColumnFormat) -> list[str]:
    told = []
    if signs := [sign for sign in form.affixes if sign != "()"]:
        dropped = "sign {} is" if len(signs) == 1 else "signs {} are"
        percent = ": 45% is 45" if "%" in signs else ""
        told.append(f"the {dropped.format(' '.join(signs))} dropped{percent}")
    if "()" in form.affixes:
        told.append("brackets mean minus: (3) is -3")
    if form.decimal != "." or form.thousands:
        thousands = f", {form.thousands!r} between thousands" if form.thousands else ""
        told.append(f"read with {form.decimal!r} as decimal mark{thousands}")
    return told


def _time_candidates(sample: list[str], *, day_first: bool) -> list[Candidate]:
    formats = time_formats(sample, day_first=day_first)
    warnings = []
    if is_ambiguous(formats):
        warnings.append(
            f"days and months could be the other way round; read as {formats[0]}"
        )
    return [
        Candidate(ColumnType.DATETIME, ColumnFormat(datetime=pattern), warnings)
        for pattern in formats
    ]


def _count(
    cells: Cells, names: list[str], found: list[list[Candidate]]
) -> list[dict[str, Any]]:
    """Present cells, distinct ones, mean length, and cells that fit each candidate."""
    exprs = [pl.len().alias("rows")]
    for i, name in enumerate(names):
        text = pl.col(name)
        exprs += [
            text.count().alias(f"{i}.present"),
            text.str.len_chars().mean().alias(f"{i}.length"),
            # an estimate will do to tell categories from text
            text.drop_nulls().approx_n_unique().alias(f"{i}.rough"),
        ]
        for k, candidate in enumerate(found[i]):
            exprs.append(candidate.fits(text).sum().alias(f"{i}.fits.{k}"))
    counts = cells.select(*exprs).row(0, named=True)
    found_counts = by_number(counts, len(names))
    _count_few(cells, names, found_counts)
    return found_counts


def _count_few(cells: Cells, names: list[str], counts: list[dict[str, Any]]) -> None:
    """Count exactly where an estimate of many would be dear or wrong."""
    few = [
        (name, own)
        for name, own in zip(names, counts, strict=True)
        if own["present"] <= _EXACT_ROWS
    ]
    exact = [pl.col(name).drop_nulls().n_unique() for name, _ in few]
    row = cells.select(*exact).row(0, named=True) if few else {}
    for name, own in zip(names, counts, strict=True):
        own["unique"] = row.get(name, own["rough"])


def by_number(counts: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """What a row of results, named `<i>.<what>`, says of each column."""
    found: list[dict[str, Any]] = [{} for _ in range(number)]
    for key, value in counts.items():
        place, dot, what = key.partition(".")
        if dot and place.isdecimal():
            found[int(place)][what] = value
    return found


def _decide(
    cells: Cells,
    name: str,
    counts: dict[str, Any],
    found: list[Candidate],
    wanted: ColumnType | None,
) -> ColumnFacts:
    if wanted in (ColumnType.CATEGORICAL, ColumnType.TEXT):
        return ColumnFacts(name, wanted)
    fits = [counts[f"fits.{k}"] or 0 for k in range(len(found))]
    best = max(range(len(found)), key=lambda k: fits[k], default=None)
    if best is not None and fits[best]:
        missed = counts["present"] - fits[best]
        if wanted is not None or missed == 0 or _are_strays(missed, counts["present"]):
            strays = _strays(cells, name, found[best]) if missed else []
            if wanted is not None or len(strays) <= _MOST_STRAYS:
                return _with_strays(name, found[best], strays, missed)
    if wanted is not None and counts["present"]:
        raise _no_cell_fits(cells, name, wanted)
    kind = of_text(counts["present"], counts["unique"], counts["length"])
    return ColumnFacts(name, wanted or kind)


def _are_strays(missed: int, present: int) -> bool:
    return present >= _LEAST_FOR_STRAYS and missed <= _STRAY_SHARE * present


def _strays(cells: Cells, name: str, candidate: Candidate) -> list[str]:
    text = pl.col(name)
    odd = text.filter(~candidate.fits(text)).drop_nulls().unique()
    return sorted(cells.select(odd.head(_MOST_STRAYS + 1)).to_series())


def _with_strays(
    name: str, candidate: Candidate, strays: list[str], missed: int
) -> ColumnFacts:
    kept = strays[:_MOST_STRAYS]
    form = candidate.format.model_copy(update={"strays": kept})
    warnings = list(candidate.warnings)
    if missed:
        shown = ", ".join(repr(text[:40]) for text in kept[:5])
        warnings.append(
            f"{missed:,} cell(s) are not {candidate.type} and count as missing: {shown}"
        )
    return ColumnFacts(name, candidate.type, form, warnings)


def _no_cell_fits(cells: Cells, name: str, wanted: ColumnType) -> InvalidTable:
    first = _sample(cells, name)[0]
    return InvalidTable(
        f"`types` says that the column {name!r} is {wanted}, but its cells are not, such "
        f"as {first[:60]!r}; leave the type out, or use categorical."
    )


def of_text(present: int, unique: int, length: float | None) -> ColumnType:
    """Categories or text, by counts over all rows and the mean length of a cell."""
    if not present:
        return ColumnType.NUMERIC
    own_value_each = unique == present and present > 10
    few = unique <= max(20, present // 2)
    short = (length or 0) <= _LONG
    is_category = few and short and not own_value_each
    return ColumnType.CATEGORICAL if is_category else ColumnType.TEXT


def typed(facts: ColumnFacts) -> pl.Expr:
    """The column of text as values of its type."""
    text = pl.col(facts.name)
    match facts.type:
        case ColumnType.NUMERIC:
            return to_number(text, facts.format).alias(facts.name)
        case ColumnType.BOOLEAN:
            low = text.str.to_lowercase()
            known = pl.when(low.is_in(TRUE + FALSE)).then(low.is_in(TRUE))
            return known.alias(facts.name)
        case ColumnType.DATETIME:
            return to_time(text, facts.format.datetime or "").alias(facts.name)
    return text
