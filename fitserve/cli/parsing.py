"""The options of commands that send a CSV: how to read it."""

from typing import Annotated, Any

import typer

Delimiter = Annotated[str | None, typer.Option(help="Between cells.")]
Header = Annotated[
    bool | None, typer.Option(help="Whether the first line names the columns.")
]
Encoding = Annotated[str | None, typer.Option(help="Such as windows-1252.")]
Decimal = Annotated[str | None, typer.Option(help="`.` or `,`")]
Null = Annotated[
    list[str] | None, typer.Option(help="A cell that means missing; repeatable.")
]


def told(**options: Any) -> dict[str, Any]:
    """Return the options that were given; an empty `null_values` was not given."""
    words = options.pop("null_values", None) or None
    options["null_values"] = words
    return {key: value for key, value in options.items() if value is not None}
