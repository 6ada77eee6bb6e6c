"""Hold the lock of a home, so that one command at a time uses it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from core.settings import Settings
from ops.supervisor.cannot_start import CannotStart


@contextmanager
def hold_home(settings: Settings) -> Iterator[None]:
    """Hold the lock within the block; raise CannotStart if another command holds it."""
    settings.home_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.home_dir / "up.lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"Another `fitserve up` uses the home {settings.home_dir}. Stop it, or "
                "choose another folder with --home."
            ) from error
        yield
