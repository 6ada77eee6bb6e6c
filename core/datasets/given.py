"""Convert the options of an upload to the arguments of `decide_types`."""

from core.columns.base import Hints
from core.columns.decide import Wanted
from core.datasets.dialect import Layout
from fitserve.specs.parsing import ParsingSpec


def wanted(given: ParsingSpec) -> dict[str, Wanted]:
    """Return the types that the upload gave, by column."""
    return {name: Wanted(kind) for name, kind in given.types.items()}


def hints(given: ParsingSpec, layout: Layout) -> Hints:
    """Return the decimal mark that was given, and the hint that the delimiter gives."""
    return Hints(decimal=given.decimal, comma_first=layout.delimiter == ";")
