"""Hold the lock of a folder, so that one command at a time uses it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from core.settings import Settings
from ops.supervisor.cannot_start import CannotStart


@contextmanager
def hold_home(settings: Settings) -> Iterator[None]:
    """Hold the lock within the block; raise CannotStart if another command holds it."""
    settings.home_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    refusal = CannotStart(
        f"Another `fitserve up` or `fitserve restore` uses the home {settings.home_dir}. "
        "Stop it, or choose another folder with --home."
    )
    with hold_lock(lock_file(settings.home_dir), refusal):
        yield


def lock_file(home: Path) -> Path:
    """Return the file whose lock the command that uses a home holds."""
    return home / "up.lock"


@contextmanager
def hold_lock(
    path: Path, refusal: Exception, mode: Literal["w", "r+", "r"] = "w"
) -> Iterator[None]:
    """Hold the lock of a file within the block; raise `refusal` if it is held already."""
    with path.open(mode) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise refusal from error
        yield
