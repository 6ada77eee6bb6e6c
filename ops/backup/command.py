"""`fitserve backup` and `fitserve restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.lazy import LazyModule
from ops.options import Home, settings_of

if TYPE_CHECKING:
    from ops import expected_errors
    from ops.backup import backup as backups
    from ops.backup import folder as folders
    from ops.backup import restore as restores
else:  # needs the server's libraries, which other commands do not need
    expected_errors = LazyModule("ops.expected_errors")
    backups = LazyModule("ops.backup.backup")
    restores = LazyModule("ops.backup.restore")

_SHOWN = ("datasets", "runs", "models", "versions")
AsJson = Annotated[bool, typer.Option("--json", help="Print what was copied, as JSON.")]


def backup(
    folder: Annotated[Path, typer.Argument(help="New folder, or an earlier backup.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Copy database and files into a folder, while the service may run.

    Reads FITSERVE_DATABASE_URL and FITSERVE_STORAGE_URL. Files that an earlier backup in
    the folder has are not copied again.
    """
    with expected_errors.exit_on_error(as_json=as_json):
        made = backups.make_backup(settings_of(home), folder)
        _show(made, f"backed up to {folder}", as_json=as_json)


def restore(
    folder: Annotated[
        Path, typer.Argument(help="Backup, or the home of a stopped service.")
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Copy a backup into an empty service, which may use another database or storage."""
    with expected_errors.exit_on_error(as_json=as_json):
        chosen = settings_of(home)
        restored = restores.restore_backup(chosen, folder)
        _show(restored, f"restored to {chosen.home_dir}", as_json=as_json)


def _show(made: "folders.Backup", where: str, *, as_json: bool) -> None:
    files = made.files
    for warning in [*made.warnings, *_missing(files.missing), *_damaged(files.damaged)]:
        expected_errors.print_notice(warning)
    if as_json:
        typer.echo(made.model_dump_json(indent=2))
        return
    counts = [f"{name} {made.rows.get(name, 0):,}" for name in _SHOWN]
    typer.echo(f"{where}: {', '.join(counts)}")
    typer.echo(
        f"files: {files.copied:,} copied ({files.num_bytes / 1e6:,.1f} MB), "
        f"{files.existed:,} kept, {files.removed:,} removed"
    )


def _missing(keys: list[str]) -> list[str]:
    if not keys:
        return []
    told = f"{len(keys):,} files that the database names are missing, such as {keys[0]}."
    return [f"{told} The service may have deleted them during the backup."]


def _damaged(keys: list[str]) -> list[str]:
    if not keys:
        return []
    told = (
        f"{len(keys):,} files were cut, or have another size than was recorded, such as "
        f"{keys[0]}."
    )
    kept = "Longer copies in the target were kept; an earlier backup may have the others."
    return [f"{told} What needs them cannot be used. {kept}"]
