"""Options for reading a file, of all commands that send one."""

import functools
import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from fitserve.client.transport import without_none

_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_TYPE = typer.Option(
    "--type",
    metavar="COLUMN=TYPE",
    help="Column type, or a JSON object with a type and its notation, such as "
    """'day={"type": "datetime", "format": "%d.%m.%Y"}'; repeatable.""",
)
_OPTIONS: dict[str, Any] = {
    "delimiter": Annotated[str | None, typer.Option(help="Character between cells.")],
    "header": Annotated[
        bool | None, typer.Option(help="Whether the first line has the column names.")
    ],
    "encoding": Annotated[
        str | None, typer.Option(help="Encoding, such as windows-1252.")
    ],
    "decimal": Annotated[str | None, typer.Option(help="Decimal mark: `.` or `,`.")],
    "null": Annotated[
        list[str] | None, typer.Option(help="Cell that means missing; repeatable.")
    ],
    "sheet": Annotated[str | None, typer.Option(help="Sheet of a workbook (xlsx, ods).")],
    "kinds": Annotated[list[str] | None, _TYPE],
}


def reads_file(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for reading a file to a command, which gets them as `parsing`."""
    own = inspect.signature(command)
    others = [one for name, one in own.parameters.items() if name != "parsing"]
    added = [
        inspect.Parameter(name, _KEYWORD, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def called(**values: Any) -> None:
        options = {name: values.pop(name) for name in _OPTIONS}
        command(**values, parsing=_given(options))

    called.__signature__ = own.replace(parameters=[*others, *added])  # type: ignore[attr-defined]
    return called


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, as a client takes them."""
    null, kinds = options.pop("null"), options.pop("kinds")
    types = dict(map(_type, kinds or []))
    # an empty list counts as not given
    return without_none({**options, "null_values": null or None, "types": types or None})


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
