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


def refuse_to_replace_pepper(home: Path, folder: Path, rows: dict[str, int]) -> None:
    """Raise CommandRefused if a backup with keys has another pepper than the home."""
    mine, kept = _read(home), _read(folder)
    if _has_keys(rows) and None not in (mine, kept) and mine != kept:
        raise CommandRefused(
            f"{pepper_file(home)} differs from the key-pepper of the previous backup in "
            f"this folder, and the database has {rows[ApiKey.__tablename__]:,} API keys, "
            "which are invalid without their pepper; the backup was kept. Check that "
            "FITSERVE_HOME or --home, and FITSERVE_KEY_PEPPER, are those of the service; "
            "if it has a new pepper, give a new folder."
        )


def backup_warnings(settings: Settings, folder: Path, rows: dict[str, int]) -> list[str]:
    """Return a sentence if a backup has API keys, and nothing has their pepper."""
    has_pepper = settings.key_pepper is not None or _read(folder) is not None
    if has_pepper or not _has_keys(rows):
        return []
    absent = (
        f"There is no {pepper_file(settings.home_dir)}, and FITSERVE_KEY_PEPPER is not "
        f"set: the backup has {rows[ApiKey.__tablename__]:,} API keys without their "
        "pepper, so a restored service refuses them. Repeat the command with "
        "FITSERVE_HOME, --home or FITSERVE_KEY_PEPPER as for the service."
    )
    return [absent]


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
