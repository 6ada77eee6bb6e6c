"""How a CSV shall be read, where its uploader knows better than the reader."""

from typing import Annotated, Literal

from pydantic import Field

from fitserve.enums import ColumnType
from fitserve.specs.closed import Closed

Delimiter = Annotated[str, Field(pattern=r"^[\t !#$%&*+,./:;<=>?@^_|~-]$")]
_NO_NUL = r"^[^\x00]*$"
Token = Annotated[str, Field(max_length=100, pattern=_NO_NUL)]
LaxColumnType = Annotated[ColumnType, Field(strict=False)]


class ParsingSpec(Closed):
    """Every key is detected unless given."""

    delimiter: Delimiter | None = None
    """One mark between cells, such as `;`; write a tab as itself or as `\\t`."""
    header: bool | None = None
    """Whether the first line names the columns."""
    encoding: str | None = Field(
        default=None, min_length=1, max_length=40, pattern=_NO_NUL
    )
    """A name such as `utf-8`, `windows-1252` or `utf-16`."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark of every numeric column."""
    null_values: list[Token] | None = Field(default=None, max_length=100)
    """The cells that mean "missing", in place of the usual ones; empty ones always do."""
    types: dict[str, LaxColumnType] = Field(default={}, max_length=10_000)
    """Types by column name; cells that do not fit are missing, and counted."""
