"""`fitserve openapi`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fitserve.cli.completion import models
from fitserve.cli.console import AsJson, print_json, print_or_say, service


def openapi(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(help="Of one model.", autocompletion=models)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write a file.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,  # it is nothing else
) -> None:
    """Print the service's OpenAPI document, or the one of a model's own endpoint."""
    with service(context) as client:
        document = client.openapi(model)
        if output is None:
            print_json(document)
            return
        output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print_or_say({"path": str(output)}, str(output), as_json=as_json)
