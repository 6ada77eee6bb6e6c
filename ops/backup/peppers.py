"""Copy the pepper, without which no API key of a copied database is valid."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from core.keys.pepper import pepper_file
from core.keys.tables import ApiKey
from core.settings import Settings
from ops.backup.folder import UNFINISHED, place
from ops.expected_errors import CommandRefused


def copy_pepper(source: Path, target: Path) -> None:
    """Copy the pepper of one folder to another one, unless that has the same."""
    pepper = pepper_file(source)
    if not pepper.exists() or _read(source) == _read(target):
        return
    with TemporaryDirectory(dir=target, prefix=UNFINISHED) as work:
        new = Path(work) / pepper.name
        shutil.copyfile(pepper, new)
        place(new, pepper_file(target))


def restore_pepper(source: Path, settings: Settings) -> None:
    """Copy the pepper to a home that has none."""
    if not pepper_file(settings.home_dir).exists():
        copy_pepper(source, settings.home_dir)


def refuse_other_pepper(source: Path, settings: Settings, rows: dict[str, int]) -> None:
    """Raise CommandRefused if the home has another pepper than the restored keys."""
    mine, theirs = _read(settings.home_dir), _read(source)
    if not _has_keys(rows) or settings.key_pepper is not None:
        return
    if mine is not None and theirs is not None and mine != theirs:
        path = pepper_file(settings.home_dir)
        raise CommandRefused(
            f"{path} differs from the pepper of the {rows[ApiKey.__tablename__]:,} API "
            "keys to restore, which would be invalid. Give a new folder with --home; or, "
            "if no service needs this file, remove it and repeat the command."
        )


def pepper_warnings(source: Path, settings: Settings, rows: dict[str, int]) -> list[str]:
    """Return a sentence if restored API keys may be invalid."""
    theirs = _read(source)
    if not _has_keys(rows):
        return []
    if settings.key_pepper is None:
        absent = (
            "There is no key-pepper in the restored folder. Set FITSERVE_KEY_PEPPER as "
            "for the first service; else its API keys are invalid."
        )
        return [absent] if theirs is None else []
    if theirs in (None, settings.key_pepper.get_secret_value().encode()):
        return []
    unused = (
        "FITSERVE_KEY_PEPPER is set, so the key-pepper of the restored folder is not "
        "used: API keys that were made with it are invalid."
    )
    return [unused]


def _has_keys(rows: dict[str, int]) -> bool:
    return bool(rows.get(ApiKey.__tablename__))


def _read(home: Path) -> bytes | None:
    path = pepper_file(home)
    return path.read_bytes() if path.exists() else None
