"""The options of commands that send a CSV: how to read it."""

from typing import Annotated, Any

import typer

from fitserve.client.transport import without_none

Delimiter = Annotated[str | None, typer.Option(help="Between cells.")]
Header = Annotated[
    bool | None, typer.Option(help="Whether the first line names the columns.")
]
Encoding = Annotated[str | None, typer.Option(help="Such as windows-1252.")]
Decimal = Annotated[str | None, typer.Option(help="`.` or `,`")]
Null = Annotated[
    list[str] | None, typer.Option(help="A cell that means missing; repeatable.")
]


def given(
    delimiter: Delimiter, header: Header, encoding: Encoding, decimal: Decimal, null: Null
) -> dict[str, Any]:
    """Return the options that were given; an empty list was not."""
    return without_none(
        {
            "delimiter": delimiter,
            "header": header,
            "encoding": encoding,
            "decimal": decimal,
            "null_values": null or None,
        }
    )
