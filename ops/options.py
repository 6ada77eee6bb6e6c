"""Options that several commands of the server share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.lazy import LazyModule

if TYPE_CHECKING:
    from core import settings
else:  # needs the server's libraries, which other commands do not need
    settings = LazyModule("core.settings")

Home = Annotated[
    Path | None, typer.Option(help="Folder of database and files. [~/.fitserve]")
]


def settings_of(home: Path | None) -> "settings.Settings":
    """Return the settings of the service in a home; None: that of the environment."""
    return settings.Settings() if home is None else settings.Settings(home=home)
