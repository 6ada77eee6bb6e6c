"""Options that several commands of the server share."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None, typer.Option(help="Folder of database and files. [~/.fitserve]")
]
