"""Hosts in Linux network namespaces, each with a cable to one switch.

The switch is a bridge in a namespace of its own, so that the firewall of this machine does
not see its traffic. A cable leads from the switch to this machine as well.

A guard, which is a shell that waits for the end of this process, kills the processes of all
hosts and removes the network. So nothing is left when a test is interrupted or killed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_GUARD = """
cat > /dev/null
names=$("$0" netns list | cut -d ' ' -f 1 | grep "^$1-")
for name in $names; do "$0" netns pids "$name"; done | xargs -r kill -KILL
"$0" link delete "$1"
for name in $names; do "$0" netns delete "$name"; done
"""
_ON_HOST = 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"'


class NoNamespaces(Exception):
    """This process cannot make network namespaces; the message says why."""


class Host:
    """A host with an address and a name; commands with its prefix run on it."""

    def __init__(self, network: "Network", number: int, name: str) -> None:
        self.name = name
        self.address = network.address_of(number)
        self._network = network
        self._port = f"port{number}"
        self._space = f"{network.name}-{name}"
        network.ip("netns", "add", self._space)
        network.plug_in(self._port, self._space, "eth0")
        network.ip("-n", self._space, "link", "set", "lo", "up")
        network.set_address(number, "eth0", "-n", self._space)

    @property
    def prefix(self) -> tuple[str, ...]:
        """Return the start of a command that runs on this host, by exec."""
        with_name = ("unshare", "--uts", "sh", "-c", _ON_HOST, self.name)
        return (self._network.program, "netns", "exec", self._space, *with_name)

    def cut(self) -> None:
        """Take the cable out of the switch: every packet is lost, and nobody is told."""
        self._network.on_switch("link", "set", self._port, "nomaster")

    def heal(self) -> None:
        """Put the cable back."""
        self._network.on_switch("link", "set", self._port, "master", "bridge")

    def reaches(self, address: str, port: int) -> bool:
        """Return whether a process on this host can connect to an address."""
        code = f"import socket; socket.create_connection(({address!r}, {port}), 2)"
        done = subprocess.run(
            [*self.prefix, sys.executable, "-c", code], capture_output=True, check=False
        )
        return done.returncode == 0


class Network:
    """A switch with hosts, and the address of this machine in their network."""

    def __init__(self, program: str) -> None:
        self.program = program
        number = os.getpid()
        self.name = f"fs{number}"
        self._subnet = f"198.{18 + number // 256 % 2}.{number % 256}"  # for benchmarks
        self._switch = f"{self.name}-switch"
        self._hosts: list[Host] = []
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, program, self.name],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C does not reach it
        )
        try:
            self._build()
        except subprocess.CalledProcessError as error:
            self.close()
            raise NoNamespaces(f"{error.cmd}: {error.stderr.strip()}") from error

    def _build(self) -> None:
        self.ip("netns", "add", self._switch)
        self.on_switch("link", "add", "bridge", "type", "bridge", "forward_delay", "0")
        self.on_switch("link", "set", "bridge", "up")
        self.plug_in("port1", None, self.name)
        self.set_address(1, self.name)

    @property
    def subnet(self) -> str:
        return f"{self._subnet}.0/24"

    def address_of(self, number: int) -> str:
        """Return the address of a host; number 1 is this machine."""
        return f"{self._subnet}.{number}"

    def add_host(self, name: str) -> Host:
        """Connect another host to the switch."""
        self._hosts.append(Host(self, len(self._hosts) + 2, name))
        return self._hosts[-1]

    def plug_in(self, port: str, space: str | None, device: str) -> None:
        """Lay a cable from a new port of the switch to a device in a namespace."""
        where = ("netns", space or str(os.getpid()))
        cable = ("link", "add", port, "type", "veth", "peer", "name", device, *where)
        self.on_switch(*cable)
        self.on_switch("link", "set", port, "master", "bridge", "up")

    def set_address(self, number: int, device: str, *where: str) -> None:
        """Give a device the address of a number, and switch it on."""
        address = f"{self.address_of(number)}/24"
        self.ip(*where, "address", "add", address, "dev", device)
        self.ip(*where, "link", "set", device, "up")

    def on_switch(self, *words: str) -> None:
        """Run `ip` in the namespace of the switch."""
        self.ip("-n", self._switch, *words)

    def ip(self, *words: str) -> str:
        """Return what `ip` prints; raise CalledProcessError if it fails."""
        command = [self.program, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def left(self) -> list[str]:
        """Return the namespaces and devices of this network that exist."""
        lines = [*self.ip("netns", "list").splitlines(), *self._devices()]
        return [line for line in lines if re.match(rf"{self.name}\b", line)]

    def _devices(self) -> list[str]:
        rows = self.ip("-oneline", "link").splitlines()
        return [row.split(": ")[1] for row in rows]

    def close(self) -> None:
        """Kill all processes on the hosts, and remove the network."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(30)


@contextmanager
def network() -> Iterator[Network]:
    """Build a network until the block ends. Raises NoNamespaces where that is refused."""
    program = shutil.which("ip", path=_PATH)
    if os.geteuid() != 0 or program is None:
        missing = "root" if program else "the command `ip` (Debian: iproute2)"
        raise NoNamespaces(f"network namespaces need {missing}")
    built = Network(program)
    try:
        yield built
    finally:
        built.close()
        _until_gone(built)


def _until_gone(built: Network) -> None:
    """Wait until nothing is left: the kernel removes a device some time later."""
    deadline = time.monotonic() + 10
    while left := built.left():
        if time.monotonic() > deadline:
            raise AssertionError(f"the network was not removed: {left}")
        time.sleep(0.1)
