"""A storage that works like an object store: bytes under keys, without a shared folder."""

import contextlib
import io
import time

from core.storage import scratch
from core.storage.port import check_key, no_such_file


class ObjectStore:
    """Objects in memory; a local copy is deleted when its context ends."""

    def __init__(self):
        self._objects = {}

    def put(self, file, key):
        self._objects[check_key(key)] = file.read_bytes(), time.time()
        file.unlink()  # a caller that still uses the file relies on one implementation

    def open(self, key):
        return io.BytesIO(self._content(key))

    @contextlib.contextmanager
    def local_copy(self, key):
        content = self._content(key)
        with scratch() as folder:
            copy = folder / "copy"
            copy.write_bytes(content)
            copy.chmod(0o400)
            yield copy

    def delete(self, key):
        self._objects.pop(check_key(key), None)

    def list(self, prefix, older_than_seconds=0.0):
        until = time.time() - older_than_seconds
        found = self._objects.items()
        return sorted(
            k for k, (_, at) in found if k.startswith(f"{prefix}/") and at <= until
        )

    def age(self, key, seconds):
        """Make an object look older by `seconds`."""
        content, _ = self._objects[key]
        self._objects[key] = content, time.time() - seconds

    def _content(self, key):
        if check_key(key) not in self._objects:
            raise no_such_file(key)
        return self._objects[key][0]
