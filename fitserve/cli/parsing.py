"""Options for reading a file, of all commands that send one."""

from typing import Annotated, Any

import typer

from fitserve.client.transport import without_none

Delimiter = Annotated[str | None, typer.Option(help="Character between cells.")]
Header = Annotated[
    bool | None, typer.Option(help="Whether the first line has the column names.")
]
Encoding = Annotated[str | None, typer.Option(help="Encoding, such as windows-1252.")]
Decimal = Annotated[str | None, typer.Option(help="Decimal mark: `.` or `,`.")]
Null = Annotated[
    list[str] | None, typer.Option(help="Cell that means missing; repeatable.")
]
Sheet = Annotated[str | None, typer.Option(help="Sheet of a workbook (xlsx, ods).")]


def given(
    delimiter: Delimiter,
    header: Header,
    encoding: Encoding,
    decimal: Decimal,
    null: Null,
    sheet: Sheet,
) -> dict[str, Any]:
    """Return the options that were given; an empty list counts as not given."""
    return without_none(
        {
            "delimiter": delimiter,
            "header": header,
            "encoding": encoding,
            "decimal": decimal,
            "null_values": null or None,
            "sheet": sheet,
        }
    )
