"""`fitserve prune`."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.lazy import LazyModule
from ops.options import Home

if TYPE_CHECKING:
    from ops import expected_errors
    from ops.retention import pruning
else:  # needs the server's libraries, which other commands do not need
    expected_errors = LazyModule("ops.expected_errors")
    pruning = LazyModule("ops.retention.pruning")


def prune(
    home: Home = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be deleted.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was deleted, as JSON.")
    ] = False,
) -> None:
    """Delete what is older than the settings FITSERVE_RETENTION__… keep.

    The service does the same by itself, a part every minute.
    """
    with expected_errors.exit_on_error(as_json=as_json):
        found = pruning.prune(home, is_dry=dry_run)
        pruning.show(found, is_dry=dry_run, as_json=as_json)
