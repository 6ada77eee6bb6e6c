"""Options for reading a file."""

from typing import Annotated, Literal

from pydantic import Field

from fitserve.enums import ColumnType
from fitserve.specs.closed import Closed

Delimiter = Annotated[str, Field(pattern=r"^[\t !#$%&*+,./:;<=>?@^_|~-]$")]
MOST_SHEET = 255
"""Most characters in the name of a sheet."""
_NO_NUL = r"^[^\x00]*$"
Token = Annotated[str, Field(max_length=100, pattern=_NO_NUL)]
LaxColumnType = Annotated[ColumnType, Field(strict=False)]


class ParsingSpec(Closed):
    """Options for reading a file; an absent option is detected."""

    delimiter: Delimiter | None = None
    """Character between cells, such as `;`; a tab can be written as `\\t`."""
    header: bool | None = None
    """Whether the first line contains the names of the columns."""
    encoding: str | None = Field(
        default=None, min_length=1, max_length=40, pattern=_NO_NUL
    )
    """Character encoding, such as `utf-8`, `windows-1252` or `utf-16`."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark of all numeric columns."""
    null_values: list[Token] | None = Field(default=None, max_length=100)
    """Cells that count as missing, instead of the defaults. Empty cells always count."""
    sheet: str | None = Field(
        default=None, min_length=1, max_length=MOST_SHEET, pattern=_NO_NUL
    )
    """Name of the sheet of a workbook (xlsx, ods), instead of the first one with rows."""
    types: dict[str, LaxColumnType] = Field(default={}, max_length=10_000)
    """Types by column name; cells that do not fit the type count as missing."""
