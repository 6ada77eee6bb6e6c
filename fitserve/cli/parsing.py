"""Options for reading a file, of all commands that send one."""

import json
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
Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="COLUMN=TYPE",
        help="Column type, or a JSON object with a type and its notation, such as "
        """'day={"type": "datetime", "format": "%d.%m.%Y"}'; repeatable.""",
    ),
]


def given(
    delimiter: Delimiter,
    header: Header,
    encoding: Encoding,
    decimal: Decimal,
    null: Null,
    sheet: Sheet = None,
    kinds: Types = None,
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
            "types": dict(map(_type, kinds or [])) or None,
        }
    )


def _type(pair: str) -> tuple[str, Any]:
    """Split `COLUMN=TYPE`; the name of the column may contain `=`."""
    name, mark, options = pair.partition("={")
    if mark:
        return name, _options(pair, "{" + options)
    name, _, kind = pair.rpartition("=")
    if not name:
        raise typer.BadParameter(f"got {pair!r}, not COLUMN=TYPE", param_hint="--type")
    return name, kind


def _options(pair: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        said = f"got {pair!r}, in which {text!r} is not JSON: {error.msg}"
        raise typer.BadParameter(said, param_hint="--type") from error
