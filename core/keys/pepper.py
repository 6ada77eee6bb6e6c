"""The secret beside the database: who steals the table of keys cannot check a guess.

It is a file of the home folder, made when it is first wanted, or FITSERVE_KEY_PEPPER
where several hosts share a database.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from core.keys.tokens import Token
from core.settings import Settings

_FILE = "key-pepper"
_BYTES = 32


class Pepper:
    """Hashes keys; a secret of 256 bits needs no slow hash."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = hashlib.sha256(b"id of " + secret).hexdigest()[:16]
        """Tells two peppers apart, and nothing about them."""

    def hash(self, token: Token) -> str:
        """HMAC-SHA256 of the whole key, so that a hash moved to another id fits none."""
        return hmac.new(self._secret, str(token).encode(), hashlib.sha256).hexdigest()


def read_pepper(settings: Settings) -> Pepper:
    """Return the pepper of the settings, else of the home folder; make one if absent."""
    if settings.key_pepper is not None:
        return Pepper(settings.key_pepper.get_secret_value().encode())
    path = settings.home_dir / _FILE
    if not path.exists():
        _make(path)
    return Pepper(path.read_bytes())


def _make(path: Path) -> None:
    """Write it whole under another name first; the first of two processes counts."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(scratch, path)
    finally:
        scratch.unlink()
