"""Hash keys with a secret outside the database: a stolen table reveals no key.

The secret is a file in the home folder, created on first use. If several hosts share a
database, the secret is FITSERVE_KEY_PEPPER.
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
    """A secret for hashing keys; keys of 256 bits need no slow hash."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = hashlib.sha256(b"id of " + secret).hexdigest()[:16]
        """An id that does not reveal the secret."""

    def hash(self, token: Token) -> str:
        """Return the HMAC-SHA256 of the whole key, so that it fits one id only."""
        return hmac.new(self._secret, str(token).encode(), hashlib.sha256).hexdigest()


def read_pepper(settings: Settings) -> Pepper:
    """Return the pepper of the settings, or of the home folder; create it if needed."""
    if settings.key_pepper is not None:
        return Pepper(settings.key_pepper.get_secret_value().encode())
    path = pepper_file(settings.home_dir)
    if not path.exists():
        _make(path)
    return Pepper(path.read_bytes())


def pepper_file(home: Path) -> Path:
    """Return the file in which a home keeps its pepper."""
    return home / _FILE


def _make(path: Path) -> None:
    """Create the complete file at once; the first of several processes creates it."""
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
