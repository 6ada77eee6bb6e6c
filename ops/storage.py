"""`fitserve storage`: prove that the storage can do what the service needs."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.lazy import LazyModule
from ops.doctor.report import show
from ops.options import Home

if TYPE_CHECKING:
    from ops import storage_checks
else:  # needs the server's libraries, which other commands do not need
    storage_checks = LazyModule("ops.storage_checks")

app = typer.Typer(
    help="Check the storage of files, without a running service.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def _group() -> None:
    """Make `check` a command of a group, to which others can be added."""


@app.command()
def check(
    home: Home = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON.")
    ] = False,
) -> None:
    """Store, read, list and delete test files; exit code 1 means a problem.

    Reads FITSERVE_STORAGE_URL and, for a bucket, the standard variables such as
    AWS_ENDPOINT_URL and AWS_ACCESS_KEY_ID.
    """
    show(storage_checks.examine(home), as_json=as_json)
