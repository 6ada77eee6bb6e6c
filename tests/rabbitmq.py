"""A real RabbitMQ of Debian's package `rabbitmq-server`, with its own ports and folder."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from tests.live import free_port
from tests.timing import until

SCRIPTS = Path("/usr/lib/rabbitmq/bin")
"""Debian's commands; those in /usr/sbin change the user and the home."""
needs_rabbitmq = pytest.mark.skipif(
    not (SCRIPTS / "rabbitmq-server").exists() or shutil.which("epmd") is None,
    reason="RabbitMQ is missing: apt-get install --no-install-recommends rabbitmq-server",
)
PASSWORD = "only/for@tests"
_URL_PASSWORD = "only%2Ffor%40tests"
_CONFIG = """
listeners.tcp.default = 127.0.0.1:{port}
default_user = tests
default_pass = {password}
default_vhost = /fitserve
disk_free_limit.absolute = 1MB
vm_memory_high_watermark.absolute = 1GB
consumer_timeout = {consumer_timeout_ms}
"""


class RabbitMQ:
    """A node with one user and one virtual host; it keeps its data when it is killed.

    Args:
        folder: the folder of its data and its logs.
        consumer_timeout_ms: how long it waits for the acknowledgement of a message.

    """

    def __init__(self, folder: Path, consumer_timeout_ms: int = 1_800_000) -> None:
        self._folder = folder
        port, distribution, names = (free_port() for _ in range(3))
        self.url = f"amqp://tests:{_URL_PASSWORD}@127.0.0.1:{port}//fitserve"
        config = folder / "rabbitmq.conf"
        config.write_text(
            _CONFIG.format(
                port=port, password=PASSWORD, consumer_timeout_ms=consumer_timeout_ms
            )
        )
        self._environment = {
            **{name: os.environ[name] for name in ("PATH",)},
            "HOME": str(folder),  # of the Erlang cookie
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"fitserve-{port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-such-file"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-rabbit channel_tick_interval 1000",
        }
        self._names = self._popen(["epmd"])
        self._node: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the node, and wait until it accepts connections."""
        self._node = self._popen([str(SCRIPTS / "rabbitmq-server")])
        until(self._answers, 120)

    def pause(self, *, is_paused: bool = True) -> None:
        """Stop the node from answering, or let it continue."""
        assert self._node is not None
        os.killpg(self._node.pid, signal.SIGSTOP if is_paused else signal.SIGCONT)

    def kill(self) -> None:
        """Kill the node as a failing machine does."""
        if self._node is not None:
            os.killpg(self._node.pid, signal.SIGKILL)
            self._node.wait()

    def close(self) -> None:
        """Kill the node and its name server."""
        self.kill()
        os.killpg(self._names.pid, signal.SIGKILL)
        self._names.wait()

    def control(self, *words: str) -> str:
        """Return what `rabbitmqctl` prints."""
        command = [str(SCRIPTS / "rabbitmqctl"), "--quiet", *words]
        return subprocess.run(
            command, env=self._environment, check=True, capture_output=True, text=True
        ).stdout

    def logs(self) -> str:
        """Return the log lines of the node."""
        return "".join(path.read_text() for path in (self._folder / "logs").glob("*.log"))

    def _popen(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / "output").open("ab") as output:
            return subprocess.Popen(
                command,
                env=self._environment,
                cwd=self._folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self._node is not None
        assert self._node.poll() is None, (self._folder / "output").read_text()[-2000:]
        with Connection(self.url, connect_timeout=1) as connection:
            try:
                connection.ensure_connection(max_retries=0)
            except (OperationalError, *connection.connection_errors):
                return False
        return True


@contextmanager
def rabbitmq_in(folder: Path, **options: int) -> Iterator[RabbitMQ]:
    """Run a RabbitMQ within the block."""
    folder.mkdir(parents=True, exist_ok=True)
    server = RabbitMQ(folder, **options)
    try:
        server.start()
        yield server
    finally:
        server.close()
