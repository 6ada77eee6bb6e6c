"""Options for reading a file."""

from typing import Annotated, Literal

from pydantic import Field

from fitserve.specs.closed import Closed
from fitserve.specs.columns import GivenType, Token
from fitserve.text_patterns import DELIMITER, NO_NUL

Delimiter = Annotated[str, Field(pattern=DELIMITER)]
MOST_SHEET = 255
"""Most characters in the name of a sheet."""


class ParsingSpec(Closed):
    """Options for reading a file; an absent option is detected."""

    delimiter: Delimiter | None = None
    """Character between cells, such as `;`; a tab can be written as `\\t`."""
    header: bool | None = None
    """Whether the first line contains the names of the columns."""
    encoding: str | None = Field(
        default=None, min_length=1, max_length=40, pattern=NO_NUL
    )
    """Character encoding, such as `utf-8`, `windows-1252` or `utf-16`."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark of all numeric columns."""
    null_values: list[Token] | None = Field(default=None, max_length=100)
    """Cells that count as missing, instead of the defaults. Empty cells always count."""
    sheet: str | None = Field(
        default=None, min_length=1, max_length=MOST_SHEET, pattern=NO_NUL
    )
    """Name of the sheet of a workbook (xlsx, ods), instead of the first one with rows."""
    types: dict[str, GivenType] = Field(default={}, max_length=10_000)
    """Types by column name, or objects with a type and its notation; cells that do not
    fit count as missing."""
