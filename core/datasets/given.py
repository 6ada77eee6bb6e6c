"""What an uploader said of a table, as the decision about its columns takes it."""

from core.columns.base import Hints
from core.columns.decide import Wanted
from core.datasets.dialect import Layout
from fitserve.specs.parsing import ParsingSpec


def wanted(given: ParsingSpec) -> dict[str, Wanted]:
    """Return the types that the uploader gave, by column."""
    return {name: Wanted(kind) for name, kind in given.types.items()}


def hints(given: ParsingSpec, layout: Layout) -> Hints:
    """Return the decimal mark if it was given, and what the delimiter says about it."""
    return Hints(decimal=given.decimal, comma_first=layout.delimiter == ";")
